// The product's version and the Kubernetes and Karmada levels it is compatible with.
export const VERSION = '0.1.0';
export const KUBERNETES_VERSION = 'v1.36.2';
