export { OpenApiDocuments, type OpenApiSource } from './serve.ts';
