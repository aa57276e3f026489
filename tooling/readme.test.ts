import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeFlags } from './front-end.ts'
import { codeBlocks } from './readme-blocks.ts'
import { packages, root } from './workspace.ts'

/** Each README, and the package from whose folder its blocks run: there its imports resolve as they do for users. */
const readmes = [
  { path: join(root, 'README.md'), home: join(root, 'packages/loadbearing') },
  ...packages().map(({ home }) => ({ path: join(home, 'README.md'), home })),
].filter(({ path }) => existsSync(path))

/** Blocks in other languages are shell lines, data or output, and are not run. */
const runnable = new Set(['ts', 'typescript', 'js', 'javascript'])

const blocks = readmes.flatMap(({ path, home }, index) =>
  codeBlocks(readFileSync(path, 'utf8'))
    .filter(({ language }) => runnable.has(language))
    .map(({ line, code }) => ({
      name: `${relative(root, path)}:${line}`,
      code,
      home,
      file: join(home, '.readme', `${index}-${line}.ts`),
    })),
)

describe('code blocks of the READMEs', () => {
  beforeAll(() => {
    for (const { file, code } of blocks) {
      mkdirSync(join(file, '..'), { recursive: true })
      writeFileSync(file, code)
    }
    writeFileSync(
      join(root, 'tsconfig.readme.json'),
      JSON.stringify({ extends: './tsconfig.json', include: ['packages/*/.readme/*.ts'], exclude: [] }),
    )
  })

  afterAll(() => {
    rmSync(join(root, 'tsconfig.readme.json'), { force: true })
    for (const { home } of blocks) rmSync(join(home, '.readme'), { recursive: true, force: true })
  })

  test('there are some', () => {
    expect(blocks.length).toBeGreaterThan(0)
  })

  test('pass the type check', () => {
    const { stdout, status } = spawnSync(
      join(root, 'node_modules/.bin/tsc'),
      ['-p', 'tsconfig.readme.json'],
      {
        cwd: root,
        encoding: 'utf8',
      },
    )
    expect(stdout).toBe('')
    expect(status).toBe(0)
  }, 120_000)

  test.each(blocks)('$name runs', ({ file, home }) => {
    const { status, stderr, signal } = spawnSync(process.execPath, [...nodeFlags, file], {
      cwd: home,
      encoding: 'utf8',
      timeout: 25_000,
    })
    expect({ status, signal, stderr: status === 0 ? '' : stderr }).toEqual({
      status: 0,
      signal: null,
      stderr: '',
    })
  })
})
