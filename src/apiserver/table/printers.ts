// The columns of built-in kinds, as kubectl shows them.
export * from './printers/workloads.ts';
export * from './printers/services.ts';
export * from './printers/cluster.ts';
export * from './printers/events.ts';
export * from './printers/storage.ts';
export * from './printers/registrations.ts';
