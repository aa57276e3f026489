import { lazy } from '../lazy.ts'
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  ipAddressType,
  listOf,
  mapOf,
  nullType,
  stringType,
  type Type,
  timestampType,
  typeOfType,
  typeParameter,
  typeType,
  uintType,
} from './type.ts'

/** One signature of a function. */
export interface Overload {
  /** cel-go's name of it, on which the cost depends (`google/cel-go:common/overloads`). */
  readonly id: string
  /** Called on its first argument, as `text.size()`. */
  readonly isMember: boolean
  readonly arguments: readonly Type[]
  readonly result: Type
  /** Names of the type parameters in it. */
  readonly parameters: readonly string[]
  /** Compares numbers of two types, which cel-go hides outside of macros. */
  readonly isCrossType: boolean
}

const parameterA = typeParameter('A')
const parameterB = typeParameter('B')

const typesByName: ReadonlyMap<string, Type> = new Map([
  ['A', parameterA],
  ['B', parameterB],
  ['bool', boolType],
  ['bytes', bytesType],
  ['double', doubleType],
  ['duration', durationType],
  ['dyn', dynType],
  ['int', intType],
  ['ip', ipAddressType],
  ['list', listOf(parameterA)],
  ['map', mapOf(parameterA, parameterB)],
  ['string', stringType],
  ['timestamp', timestampType],
  ['type', typeOfType(parameterA)],
  ['uint', uintType],
])

/** A signature in one line: `id(argument, …) result`, with a dot before the id of a member. */
function overload(signature: string): Overload {
  const [head = '', rest = ''] = signature.split('(')
  const [inside = '', result = ''] = rest.split(') ')
  const names = inside === '' ? [] : inside.split(', ')
  const used = [...names, result]
  return {
    id: head.replace('.', ''),
    isMember: head.startsWith('.'),
    arguments: names.map(typeNamed),
    result: typeNamed(result),
    parameters: [
      ...(used.some((name) => ['A', 'list', 'map', 'type'].includes(name)) ? ['A'] : []),
      ...(used.some((name) => ['B', 'map'].includes(name)) ? ['B'] : []),
    ],
    isCrossType: false,
  }
}

function typeNamed(name: string): Type {
  const type = typesByName.get(name)
  if (type === undefined) throw new RangeError(`no type is named '${name}'`)
  return type
}

function ordering(name: string): readonly Overload[] {
  const same = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration']
  const numbers = ['int', 'uint', 'double']
  const pairs = numbers.flatMap((one) =>
    numbers.filter((other) => other !== one).map((other) => [one, other]),
  )
  return [
    ...same.map((type) => overload(`${name}_${idName(type)}(${type}, ${type}) bool`)),
    ...pairs.map(([one = '', other = '']) => ({
      ...overload(`${name}_${idName(one)}_${idName(other)}(${one}, ${other}) bool`),
      isCrossType: true,
    })),
  ]
}

function idName(type: string): string {
  return type === 'int' || type === 'uint' ? `${type}64` : type
}

function accessor(id: string, ofDuration?: string): readonly Overload[] {
  return [
    overload(`.timestamp_to_${id}(timestamp) int`),
    overload(`.timestamp_to_${id}_with_tz(timestamp, string) int`),
    ...(ofDuration === undefined ? [] : [overload(`.duration_to_${ofDuration}(duration) int`)]),
  ]
}

function conversions(to: string, ...from: readonly string[]): readonly Overload[] {
  return from.map((each) => overload(`${idName(each)}_to_${idName(to)}(${each}) ${to}`))
}

/** The functions of the standard environment (`google/cel-go:common/stdlib`) and OpenFGA's two. */
export const functions: () => ReadonlyMap<string, readonly Overload[]> = lazy(
  () =>
    new Map([
      ['_?_:_', [overload('conditional(bool, A, A) A')]],
      ['_&&_', [overload('logical_and(bool, bool) bool')]],
      ['_||_', [overload('logical_or(bool, bool) bool')]],
      ['!_', [overload('logical_not(bool) bool')]],
      ['@not_strictly_false', [overload('not_strictly_false(bool) bool')]],
      ['_==_', [overload('equals(A, A) bool')]],
      ['_!=_', [overload('not_equals(A, A) bool')]],
      [
        '_+_',
        [
          overload('add_bytes(bytes, bytes) bytes'),
          overload('add_double(double, double) double'),
          overload('add_duration_duration(duration, duration) duration'),
          overload('add_duration_timestamp(duration, timestamp) timestamp'),
          overload('add_timestamp_duration(timestamp, duration) timestamp'),
          overload('add_int64(int, int) int'),
          overload('add_list(list, list) list'),
          overload('add_string(string, string) string'),
          overload('add_uint64(uint, uint) uint'),
        ],
      ],
      [
        '_/_',
        ['double', 'int', 'uint'].map((type) => overload(`divide_${idName(type)}(${type}, ${type}) ${type}`)),
      ],
      ['_%_', ['int', 'uint'].map((type) => overload(`modulo_${idName(type)}(${type}, ${type}) ${type}`))],
      [
        '_*_',
        ['double', 'int', 'uint'].map((type) =>
          overload(`multiply_${idName(type)}(${type}, ${type}) ${type}`),
        ),
      ],
      ['-_', ['double', 'int'].map((type) => overload(`negate_${idName(type)}(${type}) ${type}`))],
      [
        '_-_',
        [
          overload('subtract_double(double, double) double'),
          overload('subtract_duration_duration(duration, duration) duration'),
          overload('subtract_int64(int, int) int'),
          overload('subtract_timestamp_duration(timestamp, duration) timestamp'),
          overload('subtract_timestamp_timestamp(timestamp, timestamp) duration'),
          overload('subtract_uint64(uint, uint) uint'),
        ],
      ],
      ['_<_', ordering('less')],
      ['_<=_', ordering('less_equals')],
      ['_>_', ordering('greater')],
      ['_>=_', ordering('greater_equals')],
      ['_[_]', [overload('index_list(list, int) A'), overload('index_map(map, A) B')]],
      ['@in', [overload('in_list(A, list) bool'), overload('in_map(A, map) bool')]],
      [
        'size',
        ['bytes', 'list', 'map', 'string'].flatMap((type) => [
          overload(`size_${type}(${type}) int`),
          overload(`.${type}_size(${type}) int`),
        ]),
      ],
      ['type', [overload('type(A) type')]],
      ['bool', conversions('bool', 'bool', 'string')],
      ['bytes', conversions('bytes', 'bytes', 'string')],
      ['double', conversions('double', 'double', 'int', 'string', 'uint')],
      ['duration', conversions('duration', 'duration', 'string')],
      ['dyn', [overload('to_dyn(A) dyn')]],
      ['int', conversions('int', 'int', 'double', 'duration', 'string', 'timestamp', 'uint')],
      [
        'string',
        conversions('string', 'string', 'bool', 'bytes', 'double', 'duration', 'int', 'timestamp', 'uint'),
      ],
      ['timestamp', conversions('timestamp', 'timestamp', 'int', 'string')],
      ['uint', conversions('uint', 'uint', 'double', 'int', 'string')],
      ['contains', [overload('.contains_string(string, string) bool')]],
      ['endsWith', [overload('.ends_with_string(string, string) bool')]],
      ['startsWith', [overload('.starts_with_string(string, string) bool')]],
      [
        'matches',
        [overload('matches(string, string) bool'), overload('.matches_string(string, string) bool')],
      ],
      ['getFullYear', accessor('year')],
      ['getMonth', accessor('month')],
      ['getDayOfYear', accessor('day_of_year')],
      ['getDayOfMonth', accessor('day_of_month')],
      ['getDate', accessor('day_of_month_1_based')],
      ['getDayOfWeek', accessor('day_of_week')],
      ['getHours', accessor('hours', 'hours')],
      ['getMinutes', accessor('minutes', 'minutes')],
      ['getSeconds', accessor('seconds', 'seconds')],
      ['getMilliseconds', accessor('milliseconds', 'milliseconds')],
      ['ipaddress', [overload('string_to_ipaddress(string) ip')]],
      ['in_cidr', [overload('.ipaddr_in_cidr(ip, string) bool')]],
    ]),
)

/** Names that stand for types in an expression. */
export const typeNames: ReadonlyMap<string, Type> = new Map(
  [
    boolType,
    bytesType,
    doubleType,
    durationType,
    intType,
    listOf(dynType),
    mapOf(dynType, dynType),
    nullType,
    stringType,
    timestampType,
    typeType,
    uintType,
  ].map((type) => [type.name, type]),
)
