import { expect, test } from 'vitest'
import { runMyApp } from '../conformance/cli-operation.ts'

// As hydra-core 1.3.8 says them, but for the way of the cycle.
test.each([
  ['run: {dir: "out/${a}"}', [], 'hydra.run.dir', ['object_type=dict']],
  ['sweep: {subdir: "${a}"}', ['-m'], 'hydra.sweep.subdir', ['object_type=dict']],
  ['sweep: {dir: "${a}"}', ['-m'], 'hydra.sweep.dir', ['reference_type=SweepDir', 'object_type=SweepDir']],
  ['output_subdir: ${a}', [], 'hydra.output_subdir', ['object_type=HydraConf']],
  ['job: {chdir: "${a}"}', [], 'hydra.job.chdir', ['reference_type=JobConf', 'object_type=JobConf']],
  ['job: {name: "${a}"}', [], 'hydra.job_logging.handlers.file.filename', ['object_type=dict']],
  ['job_logging: ${a}', [], 'hydra.job_logging', ['object_type=HydraConf']],
])(
  'of an interpolation that fails, the key that was read is named: hydra: {%s} %j',
  async (hydra, argv, key, types) => {
    for (const [text, problem] of [
      ['a: ${b}\nb: ${a}\n', 'InterpolationResolutionError: Recursive interpolation detected: a → b → a'],
      ['a: ${none}\n', "InterpolationKeyError: Interpolation key 'none' not found"],
    ]) {
      const { platform, exit } = await runMyApp({ 'config.yaml': `${text}hydra:\n  ${hydra}\n` }, argv)
      expect(exit).toBe(1)
      expect(platform.stderr).toContain(
        `${problem}\n    full_key: ${key}\n${types.map((type) => `    ${type}\n`).join('')}  at `,
      )
    }
  },
)
