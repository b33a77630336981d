export { OpenApiDocuments } from './serve.ts';
