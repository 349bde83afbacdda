import jupyter from '@jupyter/eslint-plugin';
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['lib/**', '.test/**', 'node_modules/**', 'src/api/types.ts'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    files: ['src/**/*.{ts,tsx}', 'test/**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname } },
    plugins: { 'react-hooks': hooks, jupyter },
    rules: {
      ...jupyter.configs.recommended[0].rules,
      // The panels are small and one of them is the first thing shown; Lumino's signals take methods with their `this`.
      'jupyter/prefer-lazy-imports': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true, allowTypedFunctionExpressions: true }],
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/naming-convention': ['error', { selector: 'interface', format: ['PascalCase'] }],
      'max-lines': ['error', { max: 400 }],
      'prefer-const': 'error',
      eqeqeq: 'error'
    }
  }
);
