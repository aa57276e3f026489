import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'tsup'
import { binSources, sourceEntries } from './manifest.ts'

/**
 * The one way a package is built: ESM, one file for each entry of its `exports`, dependencies left outside.
 * Declarations come from `tsc`.
 */
export function preset(home: string = process.cwd()): ReturnType<typeof defineConfig> {
  const manifest: unknown = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  return defineConfig({
    entry: Object.fromEntries(
      [...sourceEntries(manifest).map(({ source }) => source), ...binSources(manifest)].map((source) => [
        source.replace(/^\.\/src\//, '').replace(/\.ts$/, ''),
        source,
      ]),
    ),
    format: ['esm'],
    target: 'node22',
    platform: 'node',
    splitting: true,
    // What is built can be read as it is; maps would be twice as large again.
    sourcemap: false,
    // Names and lines stay; `undefined` and what can be said shorter need not be carried.
    esbuildOptions: (options) => {
      options.minifySyntax = true
    },
    clean: true,
    dts: false,
    silent: true,
    // `node:sqlite` has no name without its prefix.
    removeNodeProtocol: false,
  })
}
