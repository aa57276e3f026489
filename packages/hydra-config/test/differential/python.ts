import { spawnSync } from 'node:child_process'
import { findPython } from '@loadbearing/tooling/foreign-programs'

/** What is installed to be asked: the judge of `hydra-1.3` and that of `strict`. */
const requirements = {
  'hydra-1.3': ['hydra-core==1.3.8', 'omegaconf==2.3.1'],
  strict: ['hydra-core==1.4.0rc3', 'omegaconf==2.4.1rc1'],
} as const

export type Judge = keyof typeof requirements

export interface FoundHydra {
  readonly python: string
  readonly hydraCore: string
  readonly omegaconf: string
}

/** A Python with the real Hydra in it, made in ~/.cache at the first call; else why there is none. */
export function findHydra(judge: Judge = 'hydra-1.3'): FoundHydra | { readonly missing: string } {
  const packages = requirements[judge]
  const cache = `hydra-${packages.join('-').replace(/[^a-z0-9.-]/g, '')}`
  const found = findPython({ packages, cache })
  if ('missing' in found) return found
  const { command: python } = found
  const program = 'import hydra, omegaconf; print(hydra.__version__, omegaconf.__version__)'
  const { status, stdout, stderr } = spawnSync(python, ['-c', program], { encoding: 'utf8' })
  const [hydraCore = '', omegaconf = ''] = stdout.trim().split(' ')
  if (status === 0) return { python, hydraCore, omegaconf }
  return { missing: `${packages.join(' and ')} cannot be imported: ${stderr.trim().split('\n').at(-1)}` }
}
