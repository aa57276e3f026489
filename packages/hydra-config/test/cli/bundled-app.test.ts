import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { isHydraConfigError } from '@loadbearing/hydra-config'
import { defineApp } from '@loadbearing/hydra-config/app'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const code = `
import { defineApp } from '@loadbearing/hydra-config/app'

export default defineApp({ config: 'config', configPath: 'conf', from: import.meta.url }, (config) => {
  console.log(JSON.stringify(config))
})
`

test('an app in one file with this package finds its configs by `from`, and itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hydra-bundle-'))
  try {
    await build({
      stdin: { contents: code, resolveDir: import.meta.dirname, loader: 'ts' },
      outfile: join(folder, 'app.mjs'),
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      conditions: ['@loadbearing/source'],
      logLevel: 'silent',
    })
    mkdirSync(join(folder, 'conf'))
    writeFileSync(join(folder, 'conf', 'config.yaml'), 'port: 1\n')
    const { stdout, stderr } = spawnSync(process.execPath, ['app.mjs', 'port=2', 'hydra.run.dir=.'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect({ stdout, stderr }).toEqual({ stdout: '{"port":2}\n', stderr: '' })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('from is a file', () => {
  const define = (): unknown => defineApp({ configPath: 'conf', from: 'app.js' }, () => undefined)
  expect(define).toThrow(/from must be import.meta.url or an absolute path, not 'app.js'/)
  try {
    define()
  } catch (error) {
    expect(isHydraConfigError(error) && error.code).toBe('INVALID_OPTION')
  }
})

test('without from, a relative configPath of an unknown file is refused', () => {
  const define: (by: typeof defineApp) => unknown = runInThisContext(
    "(defineApp) => defineApp({ configPath: 'conf' }, () => undefined)",
  )
  expect(() => define(defineApp)).toThrow(/'conf' is relative, .*: give from: import.meta.url/)
})
