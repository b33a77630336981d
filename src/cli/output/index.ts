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
export { formatColumns } from './tab-writer.ts';
