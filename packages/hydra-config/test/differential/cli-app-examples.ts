import { type CliCase, casesOf } from './cli-case.ts'

const trials = {
  'config.yaml': 'defaults:\n- fuel: coal\n- train: steam\n- _self_\n',
  'fuel/coal.yaml': 'name: coal\n',
  'fuel/peat.yaml': 'name: peat\n',
  'train/steam.yaml': 'name: steam\nport: 80\n',
  'train/diesel.yaml': 'name: diesel\nport: 80\n',
  'trial/night.yaml': '# @package _global_\ndefaults:\n  - override /fuel: peat\n\ntrain:\n  port: 8080\n',
  'trial/rush.yaml':
    '# @package _global_\ndefaults:\n  - override /fuel: peat\n  - override /train: diesel\n\ntrain:\n  port: 8080\n',
}

const trialsLines = [
  '',
  '+trial=night',
  '+trial=rush',
  '+trial=rush --info defaults-tree',
  '+trial=rush --info defaults',
  '--multirun +trial=night,rush',
  '--multirun +trial=glob(*)',
  '+trial=nope',
  '--help',
  'trial=night',
  '+trial=night fuel=coal',
  '+trial=night --info all',
  '-m train.port=80,90 +trial=glob([a*,n*],exclude=ap*)',
]

const stops = {
  'config.yaml': 'defaults:\n- train/stop: [north, south]\n- _self_\n',
  'train/stop/north.yaml': 'north: {domain: north.example}\n',
  'train/stop/south.yaml': 'south: {domain: south.example}\n',
  'train/stop/east.yaml': 'east: {domain: east.example}\n',
}

const stopsLines = [
  '',
  'train/stop=[south,east]',
  '--info defaults',
  '--info defaults-tree',
  '--cfg hydra -p hydra.runtime.choices',
  'train/stop=east --info defaults-tree',
  'train/stop=[]',
  'train/stop=[east,nope]',
  '-m train/stop=[north],[south,east]',
]

const engines = {
  'config.yaml': 'defaults:\n- fuel: coal\n',
  'fuel/base_coal.yaml': 'host: depot\nport: ???\nuser: ???\n',
  'fuel/coal.yaml': 'defaults:\n  - base_coal\n\nuser: stoker\nport: 3306\n',
}

const enginesLines = [
  '',
  '--info defaults',
  '--info defaults-tree',
  'fuel.port=???',
  '~fuel',
  'fuel.user=x --cfg job -p fuel',
  '--cfg job -p fuel.password',
]

const packages = {
  'config.yaml':
    'defaults:\n- train/steam\n- fuel@spare: coal\n- fuel@main: oil\n- optional other: thing\n- _self_\n\nverbose: false\n',
  'train/steam.yaml': 'defaults:\n  - /train/lamps@_here_: on\n  - fuel@lamps: peat\n\nname: steam\n',
  'train/lamps/on.yaml': 'enabled: true\n',
  'train/fuel/peat.yaml': 'name: peat\n',
  'fuel/coal.yaml': '# @package yard.shed\nname: coal\n',
  'fuel/oil.yaml': 'name: oil\n',
}

const packagesLines = [
  '',
  '--info defaults',
  '--info defaults-tree',
  '--info config',
  'fuel@main=coal',
  'fuel@spare=oil',
  'fuel=oil',
  'fuel@nope=oil',
  '~fuel@spare',
  '~fuel@spare=oil',
  '~fuel@spare=coal --info defaults-tree',
  '+fuel@src=oil',
  '--cfg hydra',
  'train/lamps@train=on',
  '+train/lamps=on --info defaults-tree',
]

const wagons = {
  'config.yaml': 'defaults:\n- line: alps\n- wagon: open\n- line_wagon: ${line}_${wagon}\n- _self_\n',
  'line/alps.yaml': 'path: /d/i\n',
  'line/fens.yaml': 'path: /d/c\n',
  'wagon/open.yaml': 'n: 7\n',
  'wagon/tank.yaml': 'n: 50\n',
  'line_wagon/alps_open.yaml': '# @package _global_\nwagon:\n  n: 5\n',
}

const wagonsLines = [
  '',
  'wagon=tank',
  'optional=1',
  '--info defaults-tree',
  '--info defaults',
  'line=fens',
  'line_wagon=nope',
]

const ofHydra = {
  'config.yaml':
    "defaults:\n- _self_\n- override hydra/job_logging: stdout\n- override hydra/help: mine\nhydra:\n  run:\n    dir: ./o/${hydra.job.name}/${hydra.job.override_dirname}\n  sweep: {dir: s, subdir: '${hydra.job.num}-${x}'}\n  job:\n    name: prog\n    env_set: {FOO: bar}\n    config: {override_dirname: {exclude_keys: [seed]}}\n  sweeper:\n    params:\n      x: 1,2\n      y: a,b\nx: 0\ny: z\nseed: 1\nfoo: ${oc.env:FOO,unset}\n",
  'hydra/help/mine.yaml':
    'app_name: Timetable\nheader: == ${hydra.help.app_name} ==\nfooter: bye\ntemplate: |-\n  ${hydra.help.header}\n\n  $APP_CONFIG_GROUPS\n  $CONFIG\n  ${hydra.help.footer}\n',
  'hydra/job_logging/custom.yaml':
    "version: 1\nformatters: {simple: {format: '%(message)s'}}\nroot: {level: INFO}\n",
}

const ofHydraLines = [
  '',
  'x=5 seed=3',
  '-m',
  '-m x=7',
  '-m x=3,4 y=q',
  '--help',
  '--hydra-help',
  '--cfg hydra',
  '--cfg all --resolve',
  'hydra/job_logging=custom',
  '--info defaults',
  'hydra/help=default --help',
  '-m hydra.sweeper.max_batch_size=3',
]

const nested = {
  'config.yaml': 'defaults:\n- db: a\n- x/y: k\n- _self_\n',
  'other.yaml': 'defaults:\n- db: a\n- _self_\n',
  'db/a.yaml': 'defaults:\n- _self_\n- engine: e\n- /other2\n- sib\n',
  'db/sib.yaml': 'defaults:\n- engine@q: f\n',
  'db/engine/e.yaml': 'defaults:\n- _self_\n- deep/d\n- /db/engine/f\n',
  'db/engine/f.yaml': 'k: 1\n',
  'db/engine/deep/d.yaml': 'defaults:\n- _self_\n',
  'other2.yaml': 'defaults:\n- _self_\n',
  'x/y/k.yaml': 'defaults:\n- /x/z/w\n- z2/v\n- _self_\n',
  'x/z/w.yaml': 'defaults:\n- _self_\n- u\n',
  'x/z/u.yaml': 'defaults:\n- _self_\n',
  'x/y/z2/v.yaml': 'a: 1\n',
}

const nestedLines = [
  '--info defaults-tree',
  '--info defaults',
  '--info config',
  '~db --info defaults-tree',
  '-cn x/y/k --info defaults-tree',
  '-cn db/a --info defaults-tree',
  '+x/z=w --info defaults-tree',
]

/** Apps of the kinds that Hydra's documentation shows: experiments, lists of options, configs that extend others, packages, choices by interpolation, and what Hydra itself can be told. */
export const appExamples: readonly CliCase[] = [
  ...casesOf(nested, nestedLines),
  ...casesOf(trials, trialsLines),
  ...casesOf(stops, stopsLines),
  ...casesOf(engines, enginesLines),
  ...casesOf(packages, packagesLines),
  ...casesOf(wagons, wagonsLines),
  ...casesOf(ofHydra, ofHydraLines),
]
