import { execFileSync } from 'node:child_process';

/** Worker threads cannot load TypeScript on every supported Node: the tests run the built ones. */
export default function build() {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
