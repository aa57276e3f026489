import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const program = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')
const files = {
  'app.py':
    'import hydra\n\n\n@hydra.main(version_base=None, config_path="settings", config_name="main")\ndef app(cfg):\n    pass\n',
  'settings/main.yaml': 'from: python\n',
  'conf/config.yaml':
    'defaults:\n- db: mysql\n- _self_\nurl: ${db.host}:${db.port}\n_target_: my.python.Class\ntoken: ${oc.env:HYDRA_TOOLS_TOKEN,none}\n',
  'conf/db/mysql.yaml': 'host: my\nport: 3306\n',
  'conf/db/pg.yaml': 'host: pg\nport: 5432\ntags: [a]\n',
  'conf/cache/redis.yaml': 'size: 1.5\n',
  'broken/config.yaml': 'defaults:\n- db: good\n',
  'broken/db/good.yaml': 'a: 1\n',
  'broken/db/bad.yaml': 'defaults:\n- nothing\n',
  'broken/db/worse.yaml': 'a: [\n',
}
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hydra-tools-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function run(...given: readonly (string | Readonly<Record<string, string>>)[]): {
  stdout: string
  stderr: string
  status: number | null
} {
  const argv = given.filter((each) => typeof each === 'string')
  const variables = given.find((each) => typeof each === 'object')
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', program, ...argv],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, COLUMNS: '80', ...variables } },
  )
  return { stdout: stdout.replaceAll(folder, '.'), stderr: stderr.replaceAll(folder, '.'), status }
}

describe("Hydra's command line in a folder of configs without code", () => {
  test('finds conf/, and leaves targets of Python alone', () => {
    expect(run('--cfg', 'job', 'db=pg', '--resolve')).toEqual({
      stdout:
        'db:\n  host: pg\n  port: 5432\n  tags:\n  - a\nurl: pg:5432\n_target_: my.python.Class\ntoken: none\n',
      stderr: '',
      status: 0,
    })
  })

  test('reads of a Python file where its configs are', () => {
    expect(run('app.py', '--cfg', 'job')).toEqual({ stdout: 'from: python\n', stderr: '', status: 0 })
    expect(run('app.py', '--cfg', 'hydra', '-p', 'hydra.job.name').stdout).toBe('app\n')
  })

  test('takes another folder and another primary config', () => {
    expect(run('-cp', 'broken', '--info', 'defaults-tree').stdout).toMatch(
      / {2}config:\n {4}db: good\n {4}_self_\n$/,
    )
    expect(run('-cp', 'nowhere').stderr).toContain("Check that the config directory './nowhere' exists")
    expect(run('-cn', 'db/pg', '--cfg', 'job').stdout).toContain('port: 5432')
  })
})

test.each([
  ['hydra-config db=', 'db=mysql db=pg'],
  ['hydra-config -cp broken db=', 'db=bad db=good db=worse'],
  ['hydra-config --config-path broken --config-name db/good ', 'db. db= hydra hydra.'],
  ['hydra-config app.py fr', 'from='],
])('completes %s', (line, expected) => {
  expect(run({ COMP_LINE: line }, '-sc', 'query=bash')).toMatchObject({ stdout: `${expected}\n`, status: 0 })
})

describe('explain', () => {
  test('tells each step that made a value', () => {
    expect(run('explain', 'db.port', 'db=pg', 'db.port=1').stdout).toBe(
      [
        'db.port = 1',
        "  from override 'db.port=1', characters 9 to 9",
        "  before that 5432 from ./conf/db/pg.yaml:2:7  (config > db/pg, chosen by override 'db=pg', characters 4 to 5)",
        '',
      ].join('\n'),
    )
  })

  test('tells what an interpolation read', () => {
    expect(run('explain', 'url').stdout).toBe(
      [
        'url = "my:3306"',
        '  from ./conf/config.yaml:4:6',
        '  ${db.host}:${db.port} reads',
        '    db.host = "my"',
        '      from ./conf/db/mysql.yaml:1:7  (config > db/mysql, chosen by ./conf/config.yaml:2:7)',
        '    db.port = 3306',
        '      from ./conf/db/mysql.yaml:2:7  (config > db/mysql, chosen by ./conf/config.yaml:2:7)',
        '',
      ].join('\n'),
    )
  })

  test('refuses a path that leads to nothing, and none at all', () => {
    expect(run('explain', 'db.prot')).toMatchObject({ status: 1, stdout: '' })
    expect(run('explain', 'db.prot').stderr).toContain('db.prot')
    const { status, stderr } = run('explain')
    expect(status).toBe(2)
    expect(stderr).toMatch(
      /^usage: hydra-config [^]*hydra-config: error: explain takes the path of a value\n$/,
    )
  })
})

describe('diff', () => {
  test('tells what differs and where each side was written, and exits with 1', () => {
    expect(run('diff', '--', '--', 'db.port=1', '+x=[1]')).toEqual({
      stdout: [
        'db.port',
        '  - 3306  ./conf/db/mysql.yaml:2:7',
        "  + 1  override 'db.port=1'",
        'url',
        '  - "my:3306"  ./conf/config.yaml:4:6',
        '  + "my:1"  ./conf/config.yaml:4:6',
        'x',
        "  + [1]  override '+x=[1]'",
        '',
      ].join('\n'),
      stderr: '',
      status: 1,
    })
  })

  test('is silent where nothing differs', () => {
    expect(run('diff', '--', 'db=pg', '--', 'db=pg')).toEqual({ stdout: '', stderr: '', status: 0 })
    expect(run('diff', '--', 'db=pg')).toMatchObject({ status: 2 })
  })
})

test('digest is of the values, however they came about', () => {
  const { stdout, status } = run('digest')
  expect(status).toBe(0)
  expect(stdout).toMatch(/^[0-9a-f]{64}\n$/)
  expect(run('digest', 'db.port=3306').stdout).toBe(stdout)
  expect(run('digest', 'db.port=3307').stdout).not.toBe(stdout)
})

describe('validate', () => {
  test('composes every option of every group, those that no defaults list has as well', () => {
    expect(run('validate')).toEqual({ stdout: '4 compositions, 0 failed\n', stderr: '', status: 0 })
  })

  test('tells which option fails, and why', () => {
    const { stdout, status } = run('validate', '-cp', 'broken')
    expect(status).toBe(1)
    expect(stdout).toMatch(/^db=bad\n {2}In 'db\/bad': Could not load 'db\/nothing'\./)
    expect(stdout).toMatch(/\ndb=worse\n {2}[^]*broken\/db\/worse\.yaml/)
    expect(stdout.match(/worse\.yaml/g), 'the place once').toHaveLength(1)
    expect(stdout).toMatch(/\n4 compositions, 2 failed\n$/)
  })
})

test('schema knows the options of groups and the types of values', () => {
  const schema = JSON.parse(run('schema').stdout) as {
    readonly properties: Readonly<Record<string, unknown>>
  }
  expect(schema.properties).toMatchObject({
    defaults: {
      items: {
        anyOf: [
          { type: 'string' },
          {
            patternProperties: {
              '^((optional|override) )*/?db(@.*)?$': {
                anyOf: [{ enum: ['mysql', 'pg', null, '???'] }, {}, {}],
              },
            },
          },
        ],
      },
    },
    db: { anyOf: [{ properties: { port: { anyOf: [{ type: 'integer' }, {}, {}, {}] } } }, {}, {}, {}] },
  })
})
