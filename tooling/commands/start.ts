import { join } from 'node:path'
import { compiledOnce, nodeFlags, run } from '../front-end.ts'
import { root } from '../workspace.ts'

// The desk reads the options itself and explains them: `pnpm start --help`.
process.exitCode = await run(
  process.execPath,
  [...nodeFlags, join(root, 'packages/delay-desk/src/main.ts'), ...process.argv.slice(2)],
  { env: compiledOnce() },
)
