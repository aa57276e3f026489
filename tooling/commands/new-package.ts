/** Makes a package from `tooling/template`, joins it to the umbrella and the README, and installs it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { run } from '../front-end.ts'
import { filesBelow } from '../tidy/sources.ts'
import { namespace, umbrellaFiles } from '../umbrella.ts'
import { packages, root } from '../workspace.ts'

const usage = `usage: pnpm new-package <name> ["one line that says what it is"]
Makes packages/<name> (a-z, 0-9 and -), adds it to the umbrella, to the table of the README and to .changeset.`

const [name = '', description = 'To be described in one line of its own.', ...rest] = process.argv.slice(2)
if (name === '--help' || name === '-h') {
  console.log(usage)
} else if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name) || rest.length > 0) {
  console.error(
    `new-package: ${name === '' ? 'name the package' : `'${[name, ...rest].join(' ')}' is not a name`}\n\n${usage}`,
  )
  process.exitCode = 2
} else if (existsSync(join(root, 'packages', name))) {
  console.error(`new-package: packages/${name} is already there`)
  process.exitCode = 1
} else {
  copyTemplate()
  joinUmbrella()
  joinReadme()
  writeFileSync(
    join(root, '.changeset', `${name}.md`),
    `---\n'@loadbearing/${name}': minor\n'loadbearing': minor\n---\n\n${description}\n`,
  )
  process.exitCode =
    (await run('pnpm', ['install', '--no-frozen-lockfile', '--prefer-offline'], { cwd: root })) ||
    (await run('pnpm', ['--filter', `@loadbearing/${name}`, 'build'], { cwd: root })) ||
    (await run(process.execPath, [join(root, 'tooling/commands/api.ts'), name], { cwd: root })) ||
    (await run('pnpm', ['format'], { cwd: root }))
  if (process.exitCode === 0) console.log(`packages/${name} is ready. Next: pnpm test ${name}; pnpm check`)
}

function copyTemplate(): void {
  const template = join(root, 'tooling/template')
  const capitalised = namespace(name).replace(/^[a-z]/, (letter) => letter.toUpperCase())
  for (const path of filesBelow(template)) {
    const target = join(root, 'packages', name, relative(template, path))
    mkdirSync(dirname(target), { recursive: true })
    const text = readFileSync(path, 'utf8')
    const described = path.endsWith('.json') ? JSON.stringify(description).slice(1, -1) : description
    writeFileSync(
      target,
      text
        .replaceAll('__Name__', capitalised)
        .replaceAll('__name__', name)
        .replaceAll('__description__', () => described),
      { flag: 'wx' },
    )
  }
}

function joinUmbrella(): void {
  const home = join(root, 'packages/loadbearing')
  const { sources, exports, dependencies } = umbrellaFiles(
    packages()
      .filter((each) => each.pattern)
      .map(({ folder }) => folder),
  )
  for (const [path, text] of Object.entries(sources)) writeFileSync(join(home, path), text)
  const manifest: Record<string, unknown> = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  writeFileSync(
    join(home, 'package.json'),
    `${JSON.stringify({ ...manifest, exports, dependencies }, null, 2)}\n`,
  )
}

function joinReadme(): void {
  const path = join(root, 'README.md')
  const row = `| [${name}](packages/${name}) | ${description.replaceAll('|', '\\|')} | | | new |\n`
  const marker = '<!-- /packages -->'
  const text = readFileSync(path, 'utf8')
  if (!text.includes(marker)) throw new Error(`README.md has lost its line ${marker}`)
  writeFileSync(
    path,
    text.replace(marker, () => row + marker),
  )
}
