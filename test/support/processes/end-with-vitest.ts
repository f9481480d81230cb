// A process of tests ends when Vitest has been killed, and its helper processes with it. Vitest runs this anew before each file of tests,
// also where files share a process.
if (!process.listeners('disconnect').some(({ name }) => name === endWithVitest.name)) {
  process.once('disconnect', endWithVitest);
}

function endWithVitest(): void {
  process.exit(1);
}
