/** Packs every public package and has publint and are-the-types-wrong look at the tarballs. */
import { packAll, runOrThrow } from './packing.ts'
import { root } from './workspace.ts'

using packed = packAll()
let complaints = 0
for (const [name, tarball] of packed.tarballs) {
  for (const [program, ...args] of [
    ['publint', 'run', tarball, '--strict'],
    ['attw', tarball, '--profile', 'esm-only'],
  ] as const) {
    try {
      runOrThrow(root, program, ...args)
    } catch (error) {
      complaints++
      console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
console.log(`${packed.tarballs.size} tarballs looked at, ${complaints} complaints`)
process.exitCode = complaints === 0 ? 0 : 1
