import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

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
  const folder = join(
    homedir(),
    '.cache',
    'loadbearing',
    `hydra-${requirements[judge].join('-').replace(/[^a-z0-9.-]/g, '')}`,
  )
  const python = join(folder, 'bin', 'python')
  if (!existsSync(python)) {
    const made = spawnSync('python3', ['-m', 'venv', folder], { encoding: 'utf8' })
    if (made.status !== 0)
      return { missing: `no Python with venv: ${firstLine(made.stderr ?? String(made.error))}` }
  }
  const found = versionsOf(python)
  if (found !== undefined) return found
  const installed = spawnSync(python, ['-m', 'pip', 'install', '--quiet', ...requirements[judge]], {
    encoding: 'utf8',
  })
  return (
    versionsOf(python) ?? {
      missing: `pip cannot install ${requirements[judge].join(' and ')}: ${firstLine(installed.stderr)}`,
    }
  )
}

function versionsOf(python: string): FoundHydra | undefined {
  const asked = spawnSync(
    python,
    ['-c', 'import hydra, omegaconf; print(hydra.__version__, omegaconf.__version__)'],
    { encoding: 'utf8' },
  )
  const [hydraCore = '', omegaconf = ''] = asked.stdout?.trim().split(' ') ?? []
  return asked.status === 0 ? { python, hydraCore, omegaconf } : undefined
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? ''
}
