import { HydraConfigError, type HydraConfigErrorCode, type HydraConfigErrorOptions } from '../errors.ts'

/** The exceptions of OmegaConf that a typed configuration raises. */
export type TypedErrorClass =
  | 'ValidationError'
  | 'UnsupportedValueType'
  | 'KeyValidationError'
  | 'ReadonlyConfigError'
  | 'ConfigKeyError'
  | 'ConfigAttributeError'
  | 'ConfigIndexError'
  | 'ConfigTypeError'
  | 'MissingMandatoryValue'
  // Python's own, which OmegaConf lets pass where it does not expect them.
  | 'AttributeError'
  | 'AssertionError'
  | 'ValueError'
  | 'TypeError'

const codes: Readonly<Record<TypedErrorClass, HydraConfigErrorCode>> = {
  ValidationError: 'CONFIG_INVALID',
  UnsupportedValueType: 'CONFIG_INVALID',
  KeyValidationError: 'CONFIG_INVALID',
  ReadonlyConfigError: 'READONLY',
  ConfigKeyError: 'UNKNOWN_PATH',
  ConfigAttributeError: 'UNKNOWN_PATH',
  ConfigIndexError: 'UNKNOWN_PATH',
  ConfigTypeError: 'MERGE',
  MissingMandatoryValue: 'MISSING_VALUE',
  AttributeError: 'UNKNOWN_PATH',
  AssertionError: 'UNKNOWN_PATH',
  ValueError: 'UNKNOWN_PATH',
  TypeError: 'UNKNOWN_PATH',
}

export function typedError(
  ofClass: TypedErrorClass,
  message: string,
  options: HydraConfigErrorOptions = {},
): HydraConfigError {
  return new HydraConfigError(codes[ofClass], message, { ...options, class: ofClass })
}

/** Whether it is of Python's own exceptions, which Hydra lets pass. */
export function isOfPython(error: HydraConfigError): boolean {
  return /^(?:Assertion|Attribute|Type|Value)Error$/.test(error.class ?? '')
}
