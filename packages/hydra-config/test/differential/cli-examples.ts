import { appExamples } from './cli-app-examples.ts'
import { type CliCase, casesOf } from './cli-case.ts'

/** A folder with groups, nested groups and interpolations, as an app begins. */
const shop = {
  'config.yaml':
    'defaults:\n- db: mysql\n- _self_\nname: app\nt: ${now:%Y}\nu: ${db.port}\nw: ${hydra:job.name}\n',
  'db/mysql.yaml': 'port: 1\nf: 1.0\n',
  'db/pg.yaml': 'port: 2\n',
  'server/apache.yaml': 'x: 1\n',
  'server/inner/a.yaml': 'y: 1\n',
}

/** One without a defaults list, and one with a choice that has to be made. */
const plain = {
  'config.yaml': 'a: 1\nb: {c: [1, 2.5, null]}\n',
  'must.yaml': 'defaults:\n- db: ???\n- optional x: nope\n',
  'db/a.yaml': '# @package _global_\ndb: {n: 1}\n',
  'db/b.yaml': 'n: ${oc.env:NO_SUCH_VARIABLE,none}\n',
  'nested.yaml': 'defaults:\n- db@first: a\n- db@second: b\n- _self_\n- override hydra/job_logging: stdout\n',
  'list.yaml': '- 1\n- 2\n',
  'schema.yaml': 'hydra:\n  job:\n    chdir: maybe\n',
  'help.yaml':
    'hydra:\n  help:\n    header: A shop\n    template: |\n      ${hydra.help.header} $$5\n      $APP_CONFIG_GROUPS\n      ${hydra.help.footer}\n',
}

/** What real folders of configs brought up: interpolations that lead nowhere, typed configs of Hydra's own, chains of choices. */
const real = {
  'config.yaml':
    'g:\n  s: {d: "${c.r}", e: "x${c.r}"}\n  k: {z: {q: "${nope}"}, w: ["${oc.env:NOPE_OF_CASES}"]}\n  r: ${.k}\nc: {r2: 1}\nl: ["${nope}", 1]\n',
  'params.yaml':
    'hydra:\n  sweeper: {params: {a: 1, b: true, c: 1.50}, max_batch_size: "3"}\na: 1\nb: 1\nc: 2\n',
  'lists.yaml': 'hydra:\n  sweeper: {params: {p: [1, 2]}}\np: 1\n',
  'foreign.yaml': 'hydra:\n  sweeper: {n_trials: 20}\n',
  'number.yaml': 'hydra:\n  launcher: 5\n',
  'list.yaml': 'hydra:\n  launcher: [1]\n',
  'batch.yaml': 'hydra:\n  sweeper: {max_batch_size: x}\n',
  'own.yaml': 'defaults:\n- override hydra/launcher: own\nhydra:\n  launcher: {n: 20}\n',
  'hydra/launcher/own.yaml': '_target_: x.Y\nm: 1\n',
  'run/cluster.yaml': '# @package _global_\nhydra:\n  launcher: {cpus_per_task: 3}\n',
  'chain.yaml': 'defaults:\n- run: cluster\n- a: one\n- a_b: ${a}-two\n- other: ${a_b}\n- _self_\n',
  'resolver.yaml': 'defaults:\n- a: one\n- a_b: ${nope:x}\n- _self_\n',
  'a/one.yaml': 'x: 1\n',
  'a_b/one-two.yaml': 'y: 1\n',
  'other/one-two.yaml': 'z: 1\n',
}

/** For completion: maps, lists, prefixes of one another, missing values. */
const words = {
  'config.yaml':
    'defaults:\n- group: null\n- _self_\ndict: {key1: val1, key2: true, key3: "???"}\ndict_more: yup\nlist: [aa, {b: 1}, "???"]\nnothing: null\nref: ${dict}\n',
  'group/dict.yaml': '# @package _global_\ngroup: {dict: true}\ntoys: {andy: davis}\n',
  'group/list.yaml': '- 1\n',
  'other/launcher/quick.yaml': '# @package _global_\nquick: true\n',
  'extra/group/more.yaml': 'm: 1\n',
  'extra/added/one.yaml': 'o: 1\n',
}

const shopLines = [
  '|-h|-hm|--version|--hydra-help|--help db=pg|--help --resolve|-i|-i=config|--info all|--info plugins',
  '--cfg job|--cfg hydra|--cfg all --resolve|-c job -p db|-c job -p db.port|-c job -p nope|--pack=db --cfg=job',
  '--cfg hydra -p hydra.run --resolve|--cfg all -p w|--cfg all -p hydra.runtime.output_dir|-c job -p db +db.g=${name}',
  '--info defaults|--info defaults-tree|--info searchpath|--info config|--info defaults foo=1|--info config foo=1',
  '~db --info defaults-tree|+server=apache --info defaults|+db@x=pg --info defaults-tree|db=[mysql,pg] --info defaults',
  '--cfg|--cfg foo|--co|-x|-r -m|-mr|--resolve|-cn nope|-cp nope|-cd nope|-cp conf.yaml|-1|-- db=pg|-c job -- -1',
  'db=mysql,pg|db=nope|foo=1|a=b=c|a=é|db@y:x=pg|name=${nope} --cfg job --resolve|+t=1 --cfg job|~t --cfg job',
  '-m db=mysql,pg|-m db=mysql,pg name=a,b|-m|-m db=pg,nope|-m hydra.x=1,2|-m name=glob(*)|-m db=glob(m*)',
  '-m +x=range(1,3)|-m +x=interval(1,2)|-m +x=[1,2],[3] +y={a:1},{b:2}|hydra.sweeper.max_batch_size=1 -m db=mysql,pg',
  'hydra.verbose=true|hydra.verbose=3|hydra.job.name=5|hydra.run.dir=x hydra.output_subdir=null|hydra.job.chdir=true',
  'hydra.mode=MULTIRUN db=mysql,pg|-m db=mysql,pg hydra.mode=RUN|hydra/hydra_logging=disabled -m db=mysql,pg',
  'hydra.searchpath=[file:///app/server] --info searchpath|hydra.searchpath=[file:///app/no] --info searchpath|hydra.searchpath=[no,file://no2] --info searchpath',
  'hydra.searchpath=[file:///app/server] +inner=a --cfg job|hydra.searchpath=5|hydra.job.num=a|hydra.mode=x|hydra=foo',
  '+hydra.foo=1 --cfg hydra|hydra.foo=1|+hydra.job.env_set.X=1 --cfg hydra|hydra.job.env_copy=[FOO] --cfg hydra',
  'hydra.job.config.override_dirname.exclude_keys=[db] db=pg name=4 --cfg hydra|--experimental-rerun nope',
]
const plainLines = [
  '|--info defaults|--info defaults-tree|--cfg all -p b|-cn must|-cn must db=a --cfg job|-cn must db=b --cfg job --resolve',
  '-cn must -m db=a,b|-cn must --info defaults-tree db=b|-cn nested --cfg job|-cn nested --info defaults|-cn list',
  '-cn nested --info defaults-tree|-cn schema|-cn help --help|-cn db/a --cfg job|-cn config.yaml --cfg job|-cn nested db@first=b',
]
const realLines = [
  '+g.s=1|+g=null|~g|~g.s|~g.s=1|~g.s={d:null,e:null}|~g.s={d:null,e:9}|~l=[1,2]|~l=[null,1]|~g=[1]|+l=1|+g.s.d=1',
  '~g.s.d=1|~g.s={d:${c.r},e:x${c.r}}|+c.r=7 ~g.s={d:7,e:x7}|+c.r=7 ~g.s={d:7,e:x8}|~c={r2:1.0}|~c={r2:true}',
  '-c job -p g.s.d --resolve|-c job -p g.s.d|-c job -p g.k.w.0|-c job -p g.k.w[0] --resolve|-c job -p g.r.z.q|-c job -p l.a',
  '-cn params -c hydra -p hydra.sweeper|-cn params -m|-cn lists -c hydra -p hydra.sweeper|-cn lists -m|-cn foreign',
  '-cn number|-cn list|-cn batch|-cn own -c hydra -p hydra.launcher|+run=cluster|hydra.launcher.n_jobs=2',
  '+hydra.launcher.n_jobs=2 -c hydra -p hydra.launcher|hydra.launcher=5 -c hydra -p hydra.launcher|~hydra.launcher._target_',
  '-cn params hydra.sweeper.params.a=5 -c hydra -p hydra.sweeper|hydra.sweeper.max_batch_size=x|hydra.sweeper.nope=1',
  '-cn chain -c job|-cn chain other=one-two a_b=one-two -c job|-cn chain ~run other=one-two -c job|-cn resolver',
]
const lines = [
  '|d|dict|dict.|dict.k|dict.key1=|dict.key1=v|dict.key2=|dict.key3=|dict.key3.|list|list.|list.0=|list.1.|list.2.|nothing=',
  'ref.|gro|group=|group=d|group=dict |group=dict toys.|+|+gro|~gro|~group=|other/|other/l|other/launcher=|hydra/|hydra|nope',
  'hydra/launcher=|hydra.|hydra.job|hydra.job.|hydra.runtime.choices.|hydra.mode=|a=b=c|group=nope |group=nope d|-m gro|--foo',
  'hydra.searchpath=[file:///app/extra] group=|hydra.searchpath=[file:///app/extra] ad|--cfg job gro|extra/group=|.|=',
]

/** Command lines written by hand, in kind those of Hydra's own examples and tests. */
export const cliExamples: readonly CliCase[] = [
  ...appExamples,
  ...casesOf(shop, each(shopLines)),
  ...casesOf(plain, each(plainLines)),
  ...casesOf(real, each(realLines)),
  ...each(lines).map((line) => queryOf(`python my_app.py ${line}`, 'bash')),
  ...['my_app gro', './my_app.py dict.', '  python3 my_app.py gro', 'my_app'].flatMap((line) => [
    queryOf(line, 'fish'),
    queryOf(line, 'zsh'),
  ]),
  ...['', 'query=nope', 'install=no', 'query=bash install=bash'].map((given) => ({
    files: words,
    argv: ['-sc', ...given.split(' ').filter((word) => word !== '')],
    environment: {},
  })),
]

function each(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => text.split('|'))
}

function queryOf(line: string, shell: string): CliCase {
  return { files: words, argv: ['-sc', `query=${shell}`], environment: { COMP_LINE: line } }
}
