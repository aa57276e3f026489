import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packages } from './workspace.ts'

/** Runs a program to its end; throws with its whole output where it fails. */
export function runOrThrow(cwd: string, program: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status === 0) return stdout
  throw new Error(
    `${program} ${args.join(' ')} (in ${cwd}): ${error ?? `exit ${status}`}\n${stdout}${stderr}`,
  )
}

/** Packs every public package as a release would; the tarballs are gone when the answer is disposed of. */
export function packAll(): Disposable & { readonly tarballs: ReadonlyMap<string, string> } {
  const folder = mkdtempSync(join(tmpdir(), 'loadbearing-pack-'))
  const tarballs = new Map<string, string>()
  for (const { home, name, private: isPrivate } of packages()) {
    if (isPrivate) continue
    const before = new Set(readdirSync(folder))
    runOrThrow(home, 'pnpm', 'pack', '--pack-destination', folder)
    const made = readdirSync(folder).find((file) => !before.has(file))
    if (made === undefined) throw new Error(`pnpm pack made no tarball of ${name}`)
    tarballs.set(name, join(folder, made))
  }
  return { tarballs, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}
