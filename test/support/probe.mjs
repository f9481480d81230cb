// A prober in a process of its own, so that it measures the service and not the load generator beside it.
// Arguments: address, number of probes, paths…; prints the milliseconds and statuses as JSON.
const [address, count, ...paths] = process.argv.slice(2);
const probes = [];
for (let i = 0; i < Number(count); i++) {
  const started = performance.now();
  const response = await fetch(`${address}${paths[i % paths.length]}`);
  await response.arrayBuffer();
  probes.push({ ms: performance.now() - started, status: response.status });
  await new Promise((resolve) => setTimeout(resolve, 10));
}
console.log(JSON.stringify(probes));
