export type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, UserInfo } from './admission.ts';
export {
  MODIFIED,
  StatusError,
  alreadyExists,
  badRequest,
  conflict,
  expired,
  fieldError,
  forbidden,
  internalError,
  invalid,
  methodNotSupported,
  notFound,
} from './status-error.ts';
export type {
  FieldError,
  FieldErrorType,
  QualifiedResource,
  Status,
  StatusCause,
  StatusDetails,
} from './status-error.ts';
