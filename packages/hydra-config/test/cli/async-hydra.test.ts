import { type AppDefinition, runCommandLine } from '@loadbearing/hydra-config/app'
import { expect, test } from 'vitest'
import { memoryPlatform } from '../conformance/memory-platform.ts'

const files = {
  'config.yaml':
    'defaults: [_self_]\nregion: ${where:}\nhydra:\n  run: {dir: "out/${region}/${hydra.job.name}"}\n  sweep: {dir: "many/${where:}"}\n  job: {name: "job-${where:}"}\n',
}

async function run(argv: readonly string[], where: () => Promise<string>) {
  const platform = memoryPlatform('/app', files)
  const app: AppDefinition = {
    name: 'my_app',
    program: 'my_app',
    command: 'my_app',
    config: 'config',
    source: platform.open('file:///app'),
    home: '/app',
    task: ({ outputDir, name }) => platform.out(`${name} ${outputDir}\n`),
    launchers: [],
    callbacks: {},
    resolve: { resolvers: { where } },
  }
  const exit = await runCommandLine(app, argv, platform)
  return { exit, stdout: platform.stdout, stderr: platform.stderr }
}

test("Hydra's own node waits for resolvers that answer with promises", async () => {
  expect(await run([], async () => 'eu')).toEqual({
    exit: 0,
    stdout: 'job-eu /app/out/eu/job-eu\n',
    stderr: '',
  })
  const { stdout } = await run(['-m', '+a=1,2'], async () => 'eu')
  expect(stdout).toMatch(/job-eu \/app\/many\/eu\/0\n[^]*job-eu \/app\/many\/eu\/1\n/)
})

test('what they reject with is told, and not asked for where nothing is run', async () => {
  const down = async (): Promise<string> => {
    throw new Error('nobody answers')
  }
  const { exit, stderr } = await run([], down)
  expect(exit).toBe(1)
  expect(stderr).toMatch(/^InterpolationResolutionError: .*nobody answers/)
  expect(await run(['--cfg', 'job'], down)).toEqual({ exit: 0, stdout: 'region: ${where:}\n', stderr: '' })
})
