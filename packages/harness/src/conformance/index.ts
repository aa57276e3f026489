export { answerLine, type Command, type Operations } from './answer.ts'
export { type Field, field, type Range } from './field.ts'
export { type PortOptions, servePort } from './port.ts'
