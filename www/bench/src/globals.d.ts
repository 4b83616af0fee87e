/** What the build puts in (vite.config.ts). */
declare const __VERSIONS__: { jax: string; tfjs: string };
