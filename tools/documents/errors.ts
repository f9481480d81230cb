import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { table } from '../markdown.ts';

/** `docs/ERRORS.md`. */
export function renderErrors(): string {
  const entries = Object.entries(ERROR_CATALOGUE);
  const retryable = entries.filter(([, entry]) => entry.retryable).map(([code]) => `\`${code}\``);
  const rows = entries.map(([code, entry]) => [
    `\`${code}\``,
    entry.status,
    entry.when,
    entry.retryable ? 'yes' : 'no',
    entry.action,
  ]);
  return `# Errors

<!-- Generated from src/errors.ts by "npm run generate". -->

Every answer that is not a success, on every path, is a JSON object with these members:

\`\`\`json
{
  "error": "More than one face was detected in the image.",
  "error_code": "MULTIPLE_FACES_DETECTED",
  "detail": "6 faces",
  "request_id": "1506ac18-3858-4211-a3d0-57ef5a789f8a"
}
\`\`\`

| member | meaning |
| --- | --- |
| \`error\` | A sentence for people. Its wording may change. |
| \`error_code\` | One of the codes below. Programs decide by it. |
| \`detail\` | Optional. What exactly was wrong: the field, the count, the limit. |
| \`reasons\`, \`quality\` | Of \`LOW_QUALITY\` only: what was low, in codes for programs, and what was measured. |
| \`request_id\` | The caller's \`X-Request-Id\` if that has at most 255 letters, digits, \`-\`, \`_\` and \`=\`, else a new one. |

The header \`X-Request-Id\` and the log of the service carry the same id. An error never contains an image, an embedding or
an API key.

In the answer to a batch of images, the result of an image that failed has the same members and its \`index\`. The status of
the answer is 200.

## Retries

The service stores nothing, so a request can always be sent again. It is worth it for ${retryable.slice(0, -1).join(', ')} and
${retryable.at(-1)}: wait for the number of seconds in \`Retry-After\` if the answer has this header, else for a time that
grows with each attempt. A request that failed with another code is likely to fail again.

## Codes

${table(['`error_code`', 'status', 'when', 'retry', 'what the caller should do'], rows)}
`;
}
