import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { askedOf, cloneName, itemOf, nameOf, packagesOf } from '../src/features/environments/words';

void describe('environments', () => {
  void it('packages are read as people write them', () => {
    assert.deepEqual(packagesOf('polars\n\npandas>=2.2  # frames\n# all of it\nscipy, tqdm  rich\npolars'), ['polars', 'pandas>=2.2', 'scipy', 'tqdm', 'rich']);
    assert.deepEqual(packagesOf('a[x,y]>=1,<2'), ['a[x,y]>=1,<2']);
    assert.deepEqual(packagesOf("x ; python_version >= '3.11'"), ["x ; python_version >= '3.11'"]);
    // What is no package stays one line, so that the server can say what is wrong with it.
    assert.deepEqual(packagesOf('--index-url https://evil.example'), ['--index-url https://evil.example']);
  });

  void it('names are compared as packaging compares them', () => {
    assert.equal(nameOf('Scikit_Learn[x]>=1'), 'scikit-learn');
    assert.equal(nameOf('zope.interface ~= 5'), 'zope-interface');
  });

  void it('a clone has a name that a domain may have', () => {
    assert.equal(cloneName('demo', 'sklearn'), 'demo-sklearn');
    assert.equal(cloneName('d'.repeat(39), 'x'), 'd'.repeat(39));
  });

  void it('what is to be added survives the way through the address of a panel', () => {
    const item = itemOf('sklearn', ['polars>=1', 'a&b', 'x+y']);
    assert.deepEqual(askedOf(item), { name: 'sklearn', add: ['polars>=1', 'a&b', 'x+y'], creates: false });
    // A tab that is restored asks for nothing.
    assert.deepEqual(askedOf(item.slice(0, -1)), { name: 'sklearn', add: null, creates: false });
    assert.deepEqual(askedOf('+'), { name: '', add: null, creates: true });
    assert.deepEqual(askedOf(itemOf('sklearn', [])), { name: 'sklearn', add: [], creates: false });
  });
});
