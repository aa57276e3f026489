import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { findPython as installedPython } from '@loadbearing/tooling/foreign-programs'
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
  const found = installedPython({ packages: [`lerna==${lernaVersion}`], cache: `lerna-${lernaVersion}` })
  if ('missing' in found) return { name, missing: found.missing, versions: {}, works }
  return { name, python: found.command, versions: { lerna: lernaVersion }, works }
}

/** Hydra's own configs for its tests. */
export interface TestConfigs {
  readonly folder: string
  /** The primary configs that Hydra composes; the others are there to be refused. */
  readonly configs: readonly string[]
  /** How many primary configs there are. */
  readonly all: number
}

/** Asks the Python that has Hydra. */
export function testConfigs(python: string): TestConfigs {
  const program = join(import.meta.dirname, 'test_configs.py')
  return JSON.parse(execFileSync(python, [program], { encoding: 'utf8' }))
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
