import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const requirements = ['hydra-core==1.3.8', 'omegaconf==2.3.1']

/** A Python with the real Hydra in it, made in ~/.cache at the first call; else why there is none. */
export function findHydra():
  | { readonly python: string; readonly version: string }
  | { readonly missing: string } {
  const folder = join(
    homedir(),
    '.cache',
    'loadbearing',
    `hydra-${requirements.join('-').replace(/[^a-z0-9.-]/g, '')}`,
  )
  const python = join(folder, 'bin', 'python')
  if (!existsSync(python)) {
    const made = spawnSync('python3', ['-m', 'venv', folder], { encoding: 'utf8' })
    if (made.status !== 0)
      return { missing: `no Python with venv: ${firstLine(made.stderr ?? String(made.error))}` }
  }
  const version = versionOf(python)
  if (version !== undefined) return { python, version }
  const installed = spawnSync(python, ['-m', 'pip', 'install', '--quiet', ...requirements], {
    encoding: 'utf8',
  })
  const after = versionOf(python)
  if (after !== undefined) return { python, version: after }
  return { missing: `pip cannot install ${requirements.join(' and ')}: ${firstLine(installed.stderr)}` }
}

function versionOf(python: string): string | undefined {
  const asked = spawnSync(
    python,
    ['-c', 'import hydra, omegaconf; print(hydra.__version__, omegaconf.__version__)'],
    {
      encoding: 'utf8',
    },
  )
  return asked.status === 0 ? asked.stdout.trim() : undefined
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? ''
}
