import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findHydra } from '../test/differential/python.ts'

const lernaVersion = '2.2.1'

/** A library of Python that does some of the works. */
export interface PythonPeer {
  readonly name: 'Hydra' | 'Lerna'
  /** The program; undefined where it could not be installed. */
  readonly python?: string
  readonly missing?: string
  readonly versions: Readonly<Record<string, string>>
  readonly works: readonly string[]
}

/** Looks for the library, and installs it in ~/.cache at the first call. */
export function findPython(name: PythonPeer['name']): PythonPeer {
  return name === 'Hydra' ? findHydraPeer() : findLerna()
}

function findHydraPeer(): PythonPeer {
  const name = 'Hydra'
  const works = ['compose', 'overrides', 'sweep', 'interpolations', 'get', 'load and merge']
  const found = findHydra()
  if ('missing' in found) return { name, missing: found.missing, versions: {}, works }
  return {
    name,
    python: found.python,
    versions: { 'hydra-core': found.hydraCore, omegaconf: found.omegaconf },
    works,
  }
}

function findLerna(): PythonPeer {
  const name = 'Lerna'
  const works = ['compose', 'overrides']
  const folder = join(homedir(), '.cache', 'loadbearing', `lerna-${lernaVersion}`)
  const python = join(folder, 'bin', 'python')
  if (!existsSync(python)) spawnSync('python3', ['-m', 'venv', folder])
  const works1 = (): boolean => spawnSync(python, ['-c', 'import lerna']).status === 0
  if (!works1()) {
    const installed = spawnSync(python, ['-m', 'pip', 'install', '--quiet', `lerna==${lernaVersion}`], {
      encoding: 'utf8',
    })
    if (!works1()) {
      const why = (installed.stderr ?? String(installed.error)).trim().split('\n')[0] ?? ''
      return { name, missing: `pip cannot install lerna ${lernaVersion}: ${why}`, versions: {}, works }
    }
  }
  return { name, python, versions: { lerna: lernaVersion }, works }
}

export function versionsOfPeers(): Record<string, string> {
  const require = createRequire(import.meta.url)
  return Object.fromEntries(
    ['c12', 'config', 'convict', 'defu', 'js-yaml'].map((name) => [
      name,
      String(Reflect.get(require(join('..', 'node_modules', name, 'package.json')), 'version')),
    ]),
  )
}
