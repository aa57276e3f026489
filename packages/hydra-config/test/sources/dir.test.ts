import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DirOptions, fromDir } from '../../src/adapters/node.ts'
import { compose, isHydraConfigError } from '../../src/index.ts'

let home: string
let root: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hydra-config-'))
  root = join(home, 'conf')
  mkdirSync(root)
})

afterEach(() => rmSync(home, { recursive: true }))

function put(path: string, text: string | Uint8Array): void {
  const location = join(root, path)
  mkdirSync(dirname(location), { recursive: true })
  writeFileSync(location, text)
}

/** Size and time of modification stay as they were; only the time of change tells. */
function putUnnoticed(path: string, text: string): void {
  const location = join(root, path)
  const { atime, mtime } = statSync(location)
  writeFileSync(location, text)
  utimesSync(location, atime, mtime)
}

async function read(options?: DirOptions): Promise<Record<string, string>> {
  const files = await fromDir(root, options).files()
  return Object.fromEntries(
    files.keys().map((path) => {
      try {
        return [path, files.get(path) ?? 'undefined']
      } catch (error) {
        return [path, isHydraConfigError(error) ? `${error.code}: ${error.message}` : String(error)]
      }
    }),
  )
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'no error'
  } catch (error) {
    return isHydraConfigError(error) ? error.code : String(error)
  }
}

describe('what is read', () => {
  test('.yaml files, whatever their names, and nothing else', async () => {
    for (const path of [
      'config.yaml',
      'db/pg.yaml',
      'db/notes.txt',
      'db/old.yml',
      'a.b.yaml',
      'UPPER.YAML',
      '.dot.yaml',
    ]) {
      put(path, `${path}\n`)
    }
    put('größe/\u{1F600}.yaml', 'x\n')
    for (const hidden of ['.hydra', '.git', 'node_modules/a', '__pycache__'])
      put(`${hidden}/config.yaml`, 'no\n')
    mkdirSync(join(root, 'folder.yaml'))
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(root, 'pipe.yaml')])
    expect(Object.keys(await read()).toSorted()).toEqual(
      [
        '.dot.yaml',
        'a.b.yaml',
        'config.yaml',
        'db/pg.yaml',
        'folder.yaml/',
        'größe/\u{1F600}.yaml',
      ].toSorted(),
    )
  })

  test('a folder without configs is a config group, as in Hydra', async () => {
    put('config.yaml', 'a: 1\n')
    mkdirSync(join(root, 'db/engine'), { recursive: true })
    expect(Object.keys(await read())).toEqual(expect.arrayContaining(['config.yaml', 'db/engine/']))
    const composing = compose({ source: fromDir(root), config: 'config', overrides: ['+db=pg'] })
    await expect(composing).rejects.toMatchObject({ code: 'MISSING_CONFIG' })
  })

  test('line ends become \\n and a byte order mark stays, as Python reads them', async () => {
    put('a.yaml', 'a: 1\r\nb: 2\rc: 3\n')
    put('b.yaml', '\uFEFFa: 1\n')
    expect(await read()).toEqual({ 'a.yaml': 'a: 1\nb: 2\nc: 3\n', 'b.yaml': '\uFEFFa: 1\n' })
    expect((await compose({ source: fromDir(root), config: 'b' })).value).toEqual({ a: 1 })
  })

  test('what is no UTF-8 or too large is refused with its name, when it is asked for', async () => {
    put('config.yaml', 'a: 1\n')
    put('latin.yaml', Buffer.from('a: 1\nb: größe\n', 'latin1'))
    put('huge.yaml', '')
    truncateSync(join(root, 'huge.yaml'), 16 * 1024 * 1024 + 1)
    const { 'config.yaml': config, 'latin.yaml': latin, 'huge.yaml': huge } = await read()
    expect(config).toBe('a: 1\n')
    expect(latin).toMatch(/^SOURCE_READ: .*latin\.yaml is not UTF-8: see line 2$/)
    expect(huge).toMatch(/^SOURCE_READ: .*huge\.yaml has 16777217 bytes/)
    expect((await compose({ source: fromDir(root), config: 'config' })).value).toEqual({ a: 1 })
    await expect(compose({ source: fromDir(root), config: 'latin' })).rejects.toMatchObject({
      code: 'SOURCE_READ',
      class: 'UnicodeDecodeError',
    })
  })

  test('what may not be read is refused with its name, when it is asked for', async () => {
    put('config.yaml', 'a: 1\n')
    put('closed.yaml', 'a: 2\n')
    put('group/x.yaml', 'a: 3\n')
    execFileSync('chmod', ['755', home, root])
    execFileSync('chmod', ['000', join(root, 'closed.yaml'), join(root, 'group')])
    // Root may read everything.
    const isRoot = process.getuid?.() === 0
    if (isRoot) process.seteuid?.(65_534)
    try {
      const files = await fromDir(root).files()
      expect(files.get('config.yaml')).toBe('a: 1\n')
      expect(() => files.get('closed.yaml')).toThrow(/closed\.yaml cannot be read: EACCES/)
      expect(() => files.get('group/x.yaml')).toThrow(/group cannot be read: EACCES/)
      expect(() => files.has('group/x.yaml')).toThrow(/group cannot be read: EACCES/)
    } finally {
      if (isRoot) process.seteuid?.(0)
      execFileSync('chmod', ['755', join(root, 'group')])
    }
  })
})

describe('symbolic links', () => {
  beforeEach(() => {
    mkdirSync(join(home, 'elsewhere'))
    writeFileSync(join(home, 'elsewhere/x.yaml'), 'x: 1\n')
    put('own.yaml', 'own: 1\n')
    symlinkSync('own.yaml', join(root, 'alias.yaml'))
    symlinkSync('../elsewhere/x.yaml', join(root, 'file.yaml'))
    symlinkSync('../elsewhere', join(root, 'folder'))
    symlinkSync('nowhere.yaml', join(root, 'dangling.yaml'))
  })

  test('are followed, as in Hydra', async () => {
    expect(await read()).toEqual({
      'own.yaml': 'own: 1\n',
      'alias.yaml': 'own: 1\n',
      'file.yaml': 'x: 1\n',
      'folder/x.yaml': 'x: 1\n',
    })
  })

  test('that lead out of the directory are refused where semantics are strict', async () => {
    const files = await read({ semantics: 'strict' })
    expect(files).toMatchObject({ 'own.yaml': 'own: 1\n', 'alias.yaml': 'own: 1\n' })
    expect(files['file.yaml']).toMatch(
      /^SOURCE_READ: file\.yaml is a symbolic link to .*elsewhere\/x\.yaml, outside/,
    )
    expect(files['folder/x.yaml']).toMatch(/^SOURCE_READ: folder\/x\.yaml is a symbolic link/)
  })

  test('that lead round and round end', async () => {
    symlinkSync('.', join(root, 'self'))
    mkdirSync(join(root, 'a'))
    symlinkSync('..', join(root, 'a/up'))
    symlinkSync('loop', join(root, 'loop'))
    expect(Object.keys(await read())).toEqual(expect.arrayContaining(['own.yaml', 'a/']))
  })
})

test('names that differ in case alone are refused where semantics are strict', async () => {
  put('DB/pg.yaml', 'a: 1\n')
  put('db/pg.yaml', 'a: 2\n')
  put('other.yaml', '')
  expect(await read()).toMatchObject({ 'DB/pg.yaml': 'a: 1\n', 'db/pg.yaml': 'a: 2\n' })
  const strict = await read({ semantics: 'strict' })
  expect(strict['DB/pg.yaml']).toMatch(/^SOURCE_READ: DB\/pg\.yaml differs from db\/pg\.yaml in case alone/)
  expect(strict['db/pg.yaml']).toMatch(/^SOURCE_READ/)
  expect(strict['other.yaml']).toBe('')
})

test('a directory that is none is named', async () => {
  writeFileSync(join(home, 'file'), '')
  expect(await codeOf(() => fromDir(join(home, 'nothing')).files())).toBe('SOURCE_NOT_FOUND')
  expect(await codeOf(() => fromDir(join(home, 'file')).files())).toBe('SOURCE_NOT_FOUND')
  expect(await codeOf(() => fromDir(join(home, 'file/below')).files())).toBe('SOURCE_NOT_FOUND')
})

test.each([
  ['', undefined],
  ['a\0b', undefined],
  ['conf', { semantics: 'loose' }],
])('options %j, %j are refused at once', async (path, options) => {
  expect(await codeOf(() => Reflect.apply(fromDir, undefined, [path, options]))).toBe('INVALID_OPTION')
})

test('a path is that of the current directory when the source was made', () => {
  expect(fromDir('conf').path).toBe(`file://${process.cwd()}/conf`)
})

test('more configs than a folder of configs has are refused, and not read', async () => {
  for (let index = 0; index <= 10_000; index += 1) writeFileSync(join(root, `${index}.yaml`), '')
  expect(await codeOf(() => fromDir(root).files())).toBe('SOURCE_READ')
})

test('an unchanged file is not read again, a changed one is', async () => {
  put('a.yaml', 'a: 1\n')
  const source = fromDir(root)
  await source.files()
  put('a.yaml', 'a: 2\n')
  expect((await source.files()).get('a.yaml')).toBe('a: 2\n')
  rmSync(join(root, 'a.yaml'))
  expect((await source.files()).size).toBe(0)
})

test('a directory at rest is looked at once, and every change of it is seen', async () => {
  put('a.yaml', 'n: 1\n')
  put('db/pg.yaml', 'n: 1\n')
  put('cache/redis.yaml', 'n: 1\n')
  mkdirSync(join(home, 'elsewhere/deep'), { recursive: true })
  symlinkSync('../elsewhere', join(root, 'linked'))
  symlinkSync('../elsewhere/late.yaml', join(root, 'late.yaml'))
  const source = fromDir(root)
  const changes: readonly [change: () => void, seen: Readonly<Record<string, string | undefined>>][] = [
    [() => put('a.yaml', 'n: 2\n'), { 'a.yaml': 'n: 2\n' }],
    [() => put('db/new.yaml', 'n: 3\n'), { 'db/new.yaml': 'n: 3\n' }],
    [
      () => renameSync(join(root, 'db/new.yaml'), join(root, 'cache/new.yaml')),
      { 'db/new.yaml': undefined, 'cache/new.yaml': 'n: 3\n' },
    ],
    [() => rmSync(join(root, 'cache/new.yaml')), { 'cache/new.yaml': undefined }],
    [
      () => renameSync(join(root, 'db'), join(root, 'store')),
      { 'db/pg.yaml': undefined, 'store/pg.yaml': 'n: 1\n' },
    ],
    [() => mkdirSync(join(root, 'empty')), { 'empty/': '' }],
    [() => writeFileSync(join(home, 'elsewhere/deep/x.yaml'), 'x\n'), { 'linked/deep/x.yaml': 'x\n' }],
    [
      () => writeFileSync(join(home, 'elsewhere/late.yaml'), 'y\n'),
      { 'linked/late.yaml': 'y\n', 'late.yaml': 'y\n' },
    ],
    [
      () => renameSync(join(home, 'elsewhere'), join(home, 'away')),
      { 'linked/late.yaml': undefined, 'late.yaml': undefined, 'a.yaml': 'n: 2\n' },
    ],
    [() => utimesSync(join(root, 'a.yaml'), 0, 0), { 'a.yaml': 'n: 2\n' }],
    [() => putUnnoticed('a.yaml', 'n: 9\n'), { 'a.yaml': 'n: 9\n' }],
  ]
  for (const [change, seen] of changes) {
    let files = await source.files()
    for (let again = await source.files(); again !== files; again = await source.files()) {
      files = again
      await setImmediate()
    }
    change()
    const found = await source.files()
    for (const [path, text] of Object.entries(seen)) expect(found.get(path), path).toBe(text)
  }
})

test('a snapshot is one moment, while another process writes', async () => {
  // It writes a, then b, with one number: at every moment b is as high as a, or one behind.
  const writer = fork(join(import.meta.dirname, 'children/two-files.ts'), [root], {
    execArgv: ['--conditions=@loadbearing/source'],
  })
  try {
    await once(writer, 'message')
    const source = fromDir(root)
    const seen = new Set<string>()
    while (seen.size < 200) {
      const texts = await Promise.resolve(source.files()).catch((error: unknown) => {
        // It may be too busy to be read at all; what it then is is told.
        if (isHydraConfigError(error) && error.code === 'SOURCE_READ') return undefined
        throw error
      })
      await setImmediate()
      if (texts === undefined) continue
      const [a, b] = ['a.yaml', 'b.yaml'].map((path) => Number(texts.get(path)?.slice('n: '.length)))
      expect([a, (a ?? 0) - 1], `a is ${a}, b is ${b}`).toContain(b)
      seen.add(`${a} ${b}`)
    }
  } finally {
    writer.kill()
    await once(writer, 'exit')
  }
})
