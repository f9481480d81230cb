// A process of tests ends when Vitest has been killed, and its helper processes with it.
process.once('disconnect', () => process.exit(1));
