export { formatJson } from './json-text.ts';
export {
  listOf,
  objectName,
  objectPrinter,
  withOutput,
  withTableOutput,
  type ObjectPrinter,
  type OutputFlags,
} from './formats.ts';
export {
  formatTable,
  TABLE_ACCEPT,
  type ServerTable,
  type TableColumn,
  type TableRow,
} from './server-table.ts';
export { alignTabs, DESCRIPTION, formatColumns } from './tab-writer.ts';
