import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'hydra-stored-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(...argv: string[]): { stdout: string; stderr: string; status: number | null } {
  const program = [
    '--conditions=@loadbearing/source',
    join(import.meta.dirname, 'stored-app.ts'),
    'hydra.run.dir=.',
    'hydra/job_logging=none',
    'hydra/hydra_logging=none',
  ]
  const { stdout, stderr, status } = spawnSync(process.execPath, [...program, ...argv], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { stdout, stderr, status }
}

const hint = '\nSet the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.\n'

// As hydra-core 1.3.8 does with the same configs and a dataclass, the lines `at` apart.
test('structured configs of a store type what files and the command line say', () => {
  expect(run()).toEqual({ stdout: '{"db":{"host":"localhost","port":3306}}\n', stderr: '', status: 0 })
  expect(run('db.port=1').stdout).toBe('{"db":{"host":"localhost","port":1}}\n')
  expect(run('--cfg', 'job').stdout).toBe('db:\n  host: localhost\n  port: 3306\n')
})

test('what is not of the type is refused in the words of Hydra', () => {
  expect(run('db.port=high')).toEqual({
    stdout: '',
    stderr:
      "Error merging override db.port=high\nValue 'high' of type 'str' could not be converted to Integer\n" +
      `    full_key: db.port\n    object_type=DB\n  at override 'db.port=high'\n${hint}`,
    status: 1,
  })
  expect(run('~db.port').stderr).toBe(
    'Error merging override ~db.port\nDB (DictConfig) does not support deletion\n' +
      `    full_key: db.port\n    object_type=DB\n  at override '~db.port'\n${hint}`,
  )
  expect(run('db.nope=1')).toEqual({
    stdout: '',
    stderr:
      "Could not override 'db.nope'.\nTo append to your config use +db.nope=1\nKey 'nope' not in 'DB'\n" +
      `    full_key: db.nope\n    object_type=DB\n  at override 'db.nope=1'\n${hint}`,
    status: 1,
  })
})

test('so is what a file gives it', () => {
  const inFile = (name: string): string => join(import.meta.dirname, 'stored-conf', 'db', name)
  expect(run('db=mistyped').stderr).toBe(
    "In 'db/mistyped': ValidationError raised while composing config:\n" +
      "Value 'high' of type 'str' could not be converted to Integer\n" +
      `    full_key: db.port\n    object_type=DB\n  at ${inFile('mistyped.yaml')}:5:7\n${hint}`,
  )
  expect(run('db=misspelt').stderr).toBe(
    "In 'db/misspelt': ConfigKeyError raised while composing config:\nKey 'prot' not in 'DB'\n" +
      `    full_key: db.prot\n    object_type=DB\n  at ${inFile('misspelt.yaml')}:5:7\n${hint}`,
  )
})
