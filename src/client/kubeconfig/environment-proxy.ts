// The proxy that the environment asks for, by the rules that kubectl follows: HTTPS_PROXY or HTTP_PROXY by the kind of
// server, in either case of letters, unless NO_PROXY names the host. This machine itself is never behind a proxy.
import net from 'node:net';
import type { Environment } from './files.ts';

function variable(env: Environment, name: string): string {
  return env[name] ?? env[name.toLowerCase()] ?? '';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (net.isIPv4(host) && host.startsWith('127.'));
}

function exempts(rule: string, host: string, port: string): boolean {
  if (rule === '*') return true;
  const address = net.isIP(host);
  const [network = '', prefix] = rule.split('/');
  if (prefix !== undefined) {
    const family = net.isIPv6(network) ? 'ipv6' : 'ipv4';
    if (net.isIP(network) === 0 || address === 0) return false;
    const list = new net.BlockList();
    list.addSubnet(network, Number(prefix), family);
    return list.check(host, address === 6 ? 'ipv6' : 'ipv4');
  }
  const [, name = '', rulePort] = /^(.*?)(?::(\d+))?$/.exec(rule) ?? [];
  if (rulePort !== undefined && !net.isIPv6(rule) && rulePort !== port) return false;
  const wanted = net.isIPv6(rule) ? rule : name;
  if (address !== 0) return wanted === host;
  if (wanted.startsWith('.') || wanted.startsWith('*.')) return host.endsWith(wanted.replace(/^\*/, ''));
  return host === wanted || host.endsWith(`.${wanted}`);
}

/** The proxy's URL for requests to `server`; undefined when there is none to use. */
export function environmentProxy(server: string, env: Environment): string | undefined {
  const url = URL.parse(server.includes('://') ? server : `https://${server}`);
  if (url === null) return undefined;
  const proxy = variable(env, url.protocol === 'http:' ? 'HTTP_PROXY' : 'HTTPS_PROXY');
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (proxy === '' || isLoopback(host)) return undefined;
  const port = url.port === '' ? (url.protocol === 'http:' ? '80' : '443') : url.port;
  const rules = variable(env, 'NO_PROXY').toLowerCase().split(',');
  if (rules.some((rule) => rule.trim() !== '' && exempts(rule.trim(), host, port))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}
