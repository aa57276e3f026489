import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const program = join(import.meta.dirname, 'shop-app.ts')
const environment = { ...process.env, NODE_OPTIONS: '--conditions=@loadbearing/source', TERM: 'xterm' }

// Of three processes of Node each, where all the machine is at work.
const timeout = 90_000

/** What a shell prints for a script, `$1` (fish: `$argv[1]`) the program; undefined where there is no such shell. */
function printed(shell: string, script: string): { stdout: string; stderr: string } | undefined {
  // Without the files that a user has.
  const bare = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] }[shell] ?? []
  const name = shell === 'fish' ? [] : [shell]
  const { error, stdout, stderr } = spawnSync(shell, [...bare, '-c', script, ...name, program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    env: environment,
    timeout,
  })
  return error !== undefined && 'code' in error && error.code === 'ENOENT' ? undefined : { stdout, stderr }
}

test(
  'bash completes an app that Node runs, after flags of Node',
  ({ skip }) => {
    const done = printed(
      'bash',
      `
eval "$(node $1 -sc install=bash)"
complete -p node
COMP_LINE="node --no-warnings $1 item="
COMP_POINT=\${#COMP_LINE}
COMP_WORDS=(node --no-warnings $1 item=)
COMP_CWORD=3
_hydra_complete node
printf '%s\\n' "\${COMPREPLY[@]}"
eval "$(node $1 -sc uninstall=bash)"
complete -p node 2>/dev/null || echo gone`,
    )
    if (done === undefined) skip('there is no bash here')
    expect(done).toEqual({
      stdout: 'complete -o default -o nospace -F _hydra_complete node\nitem=salt\nitem=tea\ngone\n',
      stderr: '',
    })
  },
  timeout,
)

test(
  'fish completes it, and nothing of what is no app',
  ({ skip }) => {
    const done = printed(
      'fish',
      `
node $argv[1] -sc install=fish | source
complete -C "node --no-warnings $argv[1] item="
complete -C "node nothing.ts item="
complete -C "node $argv[1] it"
node $argv[1] -sc uninstall=fish | source
complete -c node
functions -q _hydra_complete; or echo gone`,
    )
    if (done === undefined) skip('there is no fish here')
    expect(done).toEqual({ stdout: 'item=salt\nitem=tea\nitem.\nitem=\ngone\n', stderr: '' })
  },
  timeout,
)

test(
  'zsh completes it at the press of Tab',
  ({ skip }) => {
    const done = printed('zsh', `source ${join(import.meta.dirname, 'press-tab.zsh')}`)
    if (done === undefined) skip('there is no zsh here')
    expect(/<LINE=(.*)>/.exec(done?.stdout ?? '')?.[1]).toBe(`node --no-warnings ${program} item=salt`)
    expect(/LEFT-(\d)-/.exec(done?.stdout ?? '')?.[1]).toBe('0')
  },
  timeout,
)
