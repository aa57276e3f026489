/** What went wrong in an evaluation. */
export class CelError {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}
