import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * A folder of configs of the shape of hydra/test_utils/configs: many small files in groups of two to four options,
 * some nested, some with a package header, a primary config for each way of using them.
 */
const tree: Readonly<Record<string, string>> = {
  'config.yaml': 'defaults:\n  - _self_\nnormal: true\nname: app\nretries: 3\nratio: 0.25\n',
  'compose.yaml':
    '# @package _global_\ndefaults:\n  - group1: file1\n  - group2: file1\n  - _self_\nfoo: 10\nbar: 100\n',
  'db_conf.yaml': 'defaults:\n  - db: mysql\n  - _self_\nname: db app\n',
  'app.yaml': `defaults:
  - db: mysql
  - server: apache
  - server/tls: self_signed
  - model/backbone: resnet
  - optional local: dev
  - group1@one: file1
  - override hydra/job_logging: none
  - _self_

name: my app
url: http://\${server.host}:\${server.port}/\${name}
paths:
  data: /srv/data  # where it is read from
  out: \${paths.data}/out
tags: [a, b, "c d"]
workers:
  - name: first
    weight: 1.5
  - name: second
    weight: 2
`,
  'db/mysql.yaml': 'driver: mysql\nuser: omry\npassword: secret\nport: 3306\n',
  'db/postgresql.yaml':
    'driver: postgresql\nuser: postgre_user\npassword: drowssap\ntimeout: 10\nport: 5432\n',
  'db/sqlite.yaml': 'driver: sqlite\nfile: /tmp/app.db\n',
  'server/apache.yaml': 'defaults:\n  - limits: small\n\nhost: localhost\nport: 8080\n',
  'server/nginx.yaml': 'defaults:\n  - limits: large\n\nhost: localhost\nport: 80\n',
  'server/limits/small.yaml': 'connections: 10\nbody: 1e6\n',
  'server/limits/large.yaml': 'connections: 1000\nbody: 1e9\n',
  'server/tls/self_signed.yaml': 'cert: self.pem\nverify: false\n',
  'server/tls/ca.yaml': 'cert: ca.pem\nverify: true\n',
  'model/backbone/resnet.yaml': 'layers: 50\npretrained: true\nlr: 1e-3\n',
  'model/backbone/vit.yaml': 'patch: 16\npretrained: true\nlr: 3e-4\n',
  'local/prod.yaml': '# @package _global_\ndebug: false\n',
  'group1/file1.yaml': '# @package _global_\nfoo: 10\n',
  'group1/file2.yaml': '# @package _global_\nfoo: 20\n',
  'group2/file1.yaml': '# @package _global_\nbar: 100\n',
  'group2/file2.yaml': '# @package _global_\nbar: 200\n',
  'experiment/large.yaml':
    '# @package _global_\ndefaults:\n  - override /server: nginx\n  - override /model/backbone: vit\n  - _self_\n\nname: large\n',
  'package_tests/two_packages.yaml': 'defaults:\n  - group1@pkg1: option1\n  - group1@pkg2: option2\n',
  'package_tests/group1/option1.yaml': 'option1: true\n',
  'package_tests/group1/option2.yaml': 'option2: true\n',
}

/** What is composed from the tree, as JSON. */
export interface ComposeCase {
  readonly config: string
  readonly overrides: readonly string[]
}

export const composeCases: readonly ComposeCase[] = [
  { config: 'config', overrides: [] },
  { config: 'compose', overrides: ['group1=file2'] },
  { config: 'db_conf', overrides: ['db=postgresql', 'db.port=5433'] },
  { config: 'app', overrides: [] },
  { config: 'app', overrides: ['+experiment=large', 'server.port=81', '++paths.log=/var/log', '~tags'] },
  { config: 'package_tests/two_packages', overrides: [] },
]

/** Writes the tree to a new folder. */
export function writeTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hydra-config-bench-'))
  for (const [name, text] of Object.entries(tree)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** 100 groups of three keys with a place of their own to override: 6.8 kB, as in the specification's measurements. */
export function largeYaml(): { base: string; over: string } {
  const groups = Array.from(
    { length: 100 },
    (_, at) =>
      `group_${at}:\n  name: service-${at}\n  port: ${3000 + at}\n  ratio: 0.${at}5\n  enabled: true\n`,
  )
  const over = Array.from(
    { length: 100 },
    (_, at) => `group_${at}:\n  port: ${4000 + at}\n  extra: more ${at}\n`,
  )
  return { base: groups.join(''), over: over.join('') }
}

/** The keys that peers of layered files read: a base and what an environment changes. */
export function layers(): { base: Record<string, object>; over: Record<string, object> } {
  const at = Array.from({ length: 25 }, (_, index) => index)
  return {
    base: Object.fromEntries(
      at.map((n) => [`group_${n}`, { name: `service-${n}`, port: 3000 + n, ratio: n / 100, enabled: true }]),
    ),
    over: Object.fromEntries(at.map((n) => [`group_${n}`, { port: 4000 + n }])),
  }
}

/** 10,000 overrides of the shapes that Hydra's documentation shows. */
export function manyOverrides(): string[] {
  const shapes = [
    'db=mysql',
    'db.port=3306',
    '+db.user=root',
    '~db.password',
    'lr=choice(1e-3,1e-4)',
    'schedule=[{epochs:10,lr:0.1},{epochs:5,lr:0.01}]',
    "title='Hello, world'",
    'seed=range(0,10,2)',
    'a.b.c=text with blanks',
    'path=/a/b-c/name.txt',
  ]
  return Array.from({ length: 10_000 }, (_, at) => shapes[at % shapes.length] ?? '')
}
