// A load generator in a process of its own. Open loop: requests start at a fixed rate, whatever became of those before,
// as they do when many independent callers send them. Prints the outcomes as JSON.
// Input (JSON, first argument): {url, rate, seconds, requests: [{headers, bodyFile}], maxOpen}
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

const { url, rate, seconds, requests, maxOpen = 2000 } = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: maxOpen });
const prepared = requests.map(({ headers, bodyFile }) => ({ headers, body: readFileSync(bodyFile) }));
const outcomes = [];
let open = 0;

function send({ headers, body }) {
  const started = performance.now();
  return new Promise((resolve) => {
    const done = (outcome) => {
      outcomes.push({ at: started, ms: performance.now() - started, ...outcome });
      resolve();
    };
    const call = request(
      url,
      { method: 'POST', agent, headers: { ...headers, 'Content-Length': body.length } },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          let code = '';
          if (response.statusCode !== 200) {
            const text = Buffer.concat(chunks).toString();
            code = text.startsWith('{') ? JSON.parse(text).error_code : text.slice(0, 60);
          }
          done({ status: response.statusCode, code });
        });
        response.on('error', (error) => done({ status: 0, code: error.code ?? error.message }));
      },
    );
    call.on('error', (error) => done({ status: 0, code: error.code ?? error.message }));
    call.end(body);
  });
}

const start = performance.now();
const pending = [];
for (let sent = 0; sent < rate * seconds; sent++) {
  const due = start + (sent * 1000) / rate;
  const early = due - performance.now();
  if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
  // Bounded, so that the generator cannot become what fails.
  if (open >= maxOpen) continue;
  open++;
  pending.push(send(prepared[sent % prepared.length]).finally(() => open--));
}
await Promise.all(pending);
process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
