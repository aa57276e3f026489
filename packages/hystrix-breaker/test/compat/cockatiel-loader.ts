// Preloaded into the processes that run cockatiel's suite: what a test imports of its own package is our face; or, where
// COCKATIEL_SUBJECT is original, the module of cockatiel that it means.
import { readFileSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { suiteFolder } from './cockatiel-suite-folder.ts'

const folder = suiteFolder()
const suite = `${pathToFileURL(folder).href}/`
const face = new URL('cockatiel-face.ts', import.meta.url).href
const require = createRequire(join(folder, 'package.json'))
const original = new URL('.', pathToFileURL(createRequire(import.meta.url).resolve('cockatiel')))

registerHooks({
  resolve(specifier, context, nextResolve) {
    const { parentURL } = context
    const ours = parentURL?.startsWith(suite) === true && !parentURL.includes('/node_modules/')
    if (!ours || !specifier.startsWith('.')) return nextResolve(specifier, context)
    if (!/\.test(\.js)?$/.test(specifier)) return { url: subjectOf(specifier, parentURL), shortCircuit: true }
    return { url: new URL(`${specifier.replace(/\.js$/, '')}.ts`, parentURL).href, shortCircuit: true }
  },
  load(url, context, nextLoad) {
    if (!url.startsWith(suite) || !url.endsWith('.test.ts')) return nextLoad(url, context)
    const { transpileModule, ModuleKind, ScriptTarget } = require('typescript')
    const { outputText } = transpileModule(readFileSync(fileURLToPath(url), 'utf8'), {
      compilerOptions: {
        module: ModuleKind.ESNext,
        target: ScriptTarget.ES2022,
        experimentalDecorators: true,
      },
    })
    return { format: 'module', source: outputText, shortCircuit: true }
  },
})

function subjectOf(specifier: string, parent: string): string {
  if (process.env['COCKATIEL_SUBJECT'] !== 'original') return face
  const path = new URL(`${specifier.replace(/\.js$/, '')}.js`, parent).href.slice(suite.length)
  return new URL(path.replace(/^(src|dist)\//, ''), original).href
}
