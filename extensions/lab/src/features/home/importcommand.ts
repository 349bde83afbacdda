const PLAIN = /^[\w./@:+-]+$/;

/** A word of a POSIX shell, quoted if it has to be. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}

/** Lines for a shell: where Studio is, the key, what a trial would bring, and the import. */
export function importCommand(env: Readonly<Record<string, string>>, domain: string, path: string): string {
  const variables = ['STUDIO_URL', 'STUDIO_TOKEN'].map(name => `export ${name}=${shellWord(env[name] ?? '')}`);
  const command = `studio import mlflow ${shellWord(path)} --domain ${shellWord(domain)}`;
  return [...variables, `${command} --dry-run   # only says what would come`, command].join('\n');
}
