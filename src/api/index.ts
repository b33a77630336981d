export {
  bootstrapRbac,
  builtinDefinitions,
  builtinResources,
  builtinSchema,
  builtinSchemaJson,
  definitionFor,
  protobufFields,
  protobufMessageFor,
  referencedDefinition,
  resolveRef,
} from './builtin.ts';
export type { BuiltinResource, BuiltinSubresource, ProtobufField } from './builtin.ts';
export { convertVersion } from './conversion.ts';
export type * from './generated/kubernetes-types.ts';
export * from './karmada/index.ts';
export { formatApiVersion, formatGroupResource, gvkOf, parseApiVersion } from './gvk.ts';
export type { GroupVersion, GroupVersionKind, GroupVersionResource } from './gvk.ts';
export { deepFreeze } from './object.ts';
export type {
  Condition,
  JsonObject,
  JsonValue,
  KubeList,
  KubeObject,
  ListMeta,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
  WatchEvent,
} from './object.ts';
export { hubCrds } from './hub-crds.ts';
export { crdOf } from './kind.ts';
export type { ConversionWebhook, KindDefinition, KindVersion, PrinterColumn } from './kind.ts';
export * from './navarch/index.ts';
export * from './packages/index.ts';
export { s } from './schema.ts';
export type { Infer, Schema, Typed, ValidationRule } from './schema.ts';
