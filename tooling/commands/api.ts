/** Writes the public surface of each entry of each package to `api/`, or with `--check` says which file is out of date. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { sourceEntries } from '../manifest.ts'
import { type Package, packages } from '../workspace.ts'

const usage = `usage: pnpm api [--check] [package…]
Writes what each entry of each package, or of those named, exports to packages/*/api (build first);
--check changes nothing and exits with 1 where a file differs.`

const argv = process.argv.slice(2)
const named = argv.filter((argument) => argument !== '--check')
const able = packages().filter((each) => !each.private && each.folder !== 'loadbearing')
const unknown = named.find((name) => !able.some(({ folder }) => folder === name))
if (argv.includes('--help') || argv.includes('-h')) {
  console.log(usage)
} else if (unknown !== undefined) {
  console.error(`api: no package '${unknown}'\n\n${usage}`)
  process.exitCode = 2
} else {
  const different = able
    .filter(({ folder }) => named.length === 0 || named.includes(folder))
    .flatMap((each) => reports(each, argv.includes('--check')))
  for (const path of different)
    console.error(`${path} differs: run \`pnpm build && pnpm api\` and review the change`)
  if (different.length > 0) process.exitCode = 1
}

function reports({ home, folder, manifest, name }: Package, check: boolean): string[] {
  const api = join(home, 'api')
  mkdirSync(api, { recursive: true })
  const entries = sourceEntries(manifest).map(({ subpath, source }) => ({
    file: `${subpath === '.' ? 'index' : subpath.slice(2).replaceAll('/', '-')}.api.md`,
    title: subpath === '.' ? name : `${name}${subpath.slice(1)}`,
    declarations: join(home, source.replace('./src/', 'dist/').replace(/\.ts$/, '.d.ts')),
  }))
  const absent = entries.find(({ declarations }) => !existsSync(declarations))
  if (absent !== undefined)
    throw new Error(`${name}: ${absent.declarations} is missing: run \`pnpm build\` first`)
  const report = reporter(
    home,
    entries.map(({ declarations }) => declarations),
  )
  const different: string[] = []
  for (const { file, title, declarations } of entries) {
    const text = tidied(report(declarations), title)
    const path = join(api, file)
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    if (check) different.push(`packages/${folder}/api/${file}`)
    else writeFileSync(path, text)
  }
  const current = new Set(entries.map(({ file }) => file))
  for (const file of readdirSync(api).filter((each) => each.endsWith('.api.md') && !current.has(each))) {
    if (check) different.push(`packages/${folder}/api/${file}`)
    else rmSync(join(api, file))
  }
  return different
}

/** What API Extractor says of one entry. The entries of a package share most of their declarations: they are read once for all. */
function reporter(home: string, entries: readonly string[]): (declarations: string) => string {
  let compilerState: CompilerState | undefined
  return (declarations) => {
    const folder = mkdtempSync(join(tmpdir(), 'loadbearing-api-'))
    try {
      const config = configuration(home, declarations, entries, folder)
      compilerState ??= CompilerState.create(config)
      Extractor.invoke(config, {
        compilerState,
        localBuild: true,
        messageCallback: (message) => {
          message.handled = message.logLevel !== ExtractorLogLevel.Error
        },
      })
      return readFileSync(join(folder, 'entry.api.md'), 'utf8')
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
}

function configuration(
  home: string,
  mainEntryPointFilePath: string,
  files: readonly string[],
  folder: string,
): ExtractorConfig {
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: home,
      mainEntryPointFilePath,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2022',
            lib: ['es2024', 'es2025.collection', 'es2025.iterator', 'esnext.disposable'],
            module: 'nodenext',
            moduleResolution: 'nodenext',
            types: ['node'],
            strict: true,
            skipLibCheck: true,
          },
          files,
        },
      },
      apiReport: { enabled: true, reportFileName: 'entry', reportFolder: folder, reportTempFolder: folder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(home, 'package.json'),
  })
}

/** The report with the entry's own name, and without what API Extractor says about its own conventions. */
function tidied(text: string, title: string): string {
  return text
    .replace(/^## API Report File for .*$/m, `## ${title}`)
    .replace(
      /^> Do not edit this file\..*$/m,
      '> Written by `pnpm api`; a change here is a change that users see.',
    )
    .replaceAll(/^\/\/ Warning: .*\n(?:\/\/.*\n)*/gm, '')
    .replaceAll('\r\n', '\n')
}
