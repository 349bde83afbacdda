import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { wantedOf } from '../src/features/kernels/wanted';

void describe('what a kernel asks to have added', () => {
  void it('is names with their versions', () => {
    assert.deepEqual(wantedOf({ environment: 'sklearn', packages: ['polars>=1', 'x[y]==2.*'], line: 'sdk.add_packages()' }), {
      environment: 'sklearn',
      packages: ['polars>=1', 'x[y]==2.*'],
      line: 'sdk.add_packages()'
    });
  });
  void it('is nothing else, whatever it sends', () => {
    const hostile = { environment: '<img src=x>', packages: ['<b>', 'a b', 'git+https://x/y', 7, null, 'p'.repeat(201)], line: 7 };
    assert.deepEqual(wantedOf(hostile), { environment: '', packages: [], line: '' });
    for (const given of [null, 'text', 3, [], { packages: 'polars' }]) {
      assert.deepEqual(wantedOf(given).packages, []);
    }
    assert.equal(wantedOf({ packages: Array(99).fill('a') }).packages.length, 50);
  });
});
