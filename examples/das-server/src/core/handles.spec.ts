import { animals } from '../testing/animals.js';
import { compositeHash, linkHandle, nodeHandle, typeHash } from './handles.js';

/** Name, handle as a Concept, handle as a MeTTa symbol. */
const nodes = `
human af12f10f9ae2002a1607ba0b47ba8407 8860480382d0ddf62623abf5c860e51d
monkey 1cdffc6b0b89ff41d68bec237481d1e1 181a19436acef495c8039a610be59603
chimp 5b34c54bee150c04f9fa584b899dc030 3225ea795289574ceee32e091ad54ef4
snake c1db9b517073e51eb7ef6fed608ec204 25bdf4cba0b59adfa07dd103d033bca9
earthworm bb34ce95f161a6b37ff54b3d4c817857 665509d366ac3c2821b3b6b266f996bd
rhino 99d18c702e813b07260baf577c60c455 6872b1cd2cfbc483ac52687852e5f1ad
triceratops d03e59654221c1e8fcda404fd5c8d6cb ae7ab1a9791ca0dcbf54ca7955bbdbc9
vine b94941d8cd1c0ee4ad3dd3dcab52b964 1fc9300891b7a5d6583f0f85a83b9ddb
ent 4e8e26e3276af8a5c2ac2cc2dc95c6d2 a408f6dd446cdd4fa56f82e77fe6c870
mammal bdfe4e7a431f73386f37c6448afe5840 2e49bfe7f9b46c1e403b841970205a82
animal 0a32b476852eeb954979b87f5f6cb7af 8321bf987d14e3ccbf9aaa6dad1e4755
reptile b99ae727c787f1b13b452fd4c9ce1b9a 8d4f508af54497ea5f04112b1c66d1c5
dinosaur 08126b066d32ee37743e255a2558cccd 0bde3a43e8650ca16b0a052c9199e5b6
plant 80aff30094874e75028033a38ce677bb a0426b36b0da5123b25ae7ef8fdf44bb`;

/** Type, targets, handle as a typed link, handle as a MeTTa expression. */
const links = `
Similarity human monkey bad7472f41a0e7d601ca294eb4607c3a 7ec8526b8c8f15a6ac55273fedbf694f
Similarity human chimp b5459e299a5c5e8662c427f7e01b3bf1 2e2f6ce7fc5cab22d57d38337bb5d255
Similarity chimp monkey abe6ad743fc81bd1c55ece2e1307a178 ecb646aa07a906dc3db6588a1681f13d
Similarity snake earthworm 7ee00a03f67b39f620bd3d0f6ed0c3e6 a2229df191806a5d97892754caae1535
Similarity rhino triceratops 72d0f9904bda2f89f9b68a1010ac61b5 a44654b990acba107216f434d80d685c
Similarity snake vine e431a2eda773adf06ef3f9268f93deaf 06b1200d19402202e31e059c15c51c36
Similarity human ent 16f7e407087bfa0b35b13d13a1aadcae 289476dbf62faffc149e3658bc368b6b
Similarity monkey human 2a8a69c01305563932b957de4b3a9ba6 8cf06d71b3ddcd9e78b55b4257f7b1cf
Similarity chimp human 2c927fdc6c0f1272ee439ceb76a6d1a4 68ea071c32d4dbf0a7d8e8e00f2fb823
Similarity monkey chimp 31535ddf214f5b239d3b517823cb8144 ba86c981af6ba28249c48d49381491a1
Similarity earthworm snake 2d7abd27644a9c08a7ca2c8d68338579 49e5f2b5d6580eec3a8d7014d542d6f0
Similarity triceratops rhino aef4d3da2565a640e15a52fd98d24d15 05bfd9bb16514f9f95784092431896cd
Similarity vine snake 9923fc3e46d779c925d26ac4cf2d9e3b ec100d52d081881fc5eca373af9e343c
Similarity ent human a45af31b43ee5ea271214338a5a5bd61 d610ca5aa289bf532010cb6fe79f754e
Inheritance human mammal c93e1e758c53912638438e2a7d7f7b7f 76a21d549ea70cda9b5433e7a1f62960
Inheritance monkey mammal f31dfe97db782e8cec26de18dddf8965 a76b4baa701b8d9303c9a2f841a408a1
Inheritance chimp mammal 75756335011dcedb71a0d9a7bd2da9e8 4145f6b52d36258b3f7245bf690edd05
Inheritance mammal animal 1c3bf151ea200b2d9e088a1178d060cb 7d7d1d3f8e9e85294db2e45db63b1af3
Inheritance reptile animal b0f428929706d1d991e4d712ad08f9ab 4390cc405c351b93ee39d6bc25cf9b3b
Inheritance snake reptile 116df61c01859c710d178ba14a483509 922dfa325a7c3c67b9d07533317d9094
Inheritance dinosaur reptile 959924e3aab197af80a84c1ab261fd65 2a6a312b699a7a52780442da736061e7
Inheritance triceratops dinosaur 906fa505ae3bc6336d80a5f9aaa47b3b d0082be0efc758fd027f10b6a0b01541
Inheritance earthworm animal 4120e428ab0fa162a04328e5217912ff 754cafb08c9c1716544801d3ef007c6c
Inheritance rhino mammal fbf03d17d6a40feff828a3f2c6e86f05 891cf259d6938b3a01dd414432ab4100
Inheritance vine plant e4685d56969398253b6f77efd21dc347 ce8a3219d718311c5107d11ea00fd045
Inheritance ent plant ee1c03e6d1f104ccd811cfbba018451a 434d4303c556d94d2774ff70a5140b23`;

function rows(table: string): string[][] {
  return table
    .trim()
    .split('\n')
    .map((row) => row.split(' '));
}

/** In MeTTa terms every node is a symbol, whose name keeps its quotes. */
function symbol(name = ''): string {
  return nodeHandle('Symbol', name);
}

describe('handles', () => {
  it.each(rows(nodes))('node %s', (name = '', asConcept, asSymbol) => {
    expect(nodeHandle('Concept', name)).toBe(asConcept);
    expect(symbol(`"${name}"`)).toBe(asSymbol);
  });

  it.each(rows(links))('link %s %s %s', (type = '', from = '', to = '', asLink, asExpression) => {
    expect(linkHandle(type, [nodeHandle('Concept', from), nodeHandle('Concept', to)])).toBe(asLink);
    expect(linkHandle('Expression', [symbol(type), symbol(`"${from}"`), symbol(`"${to}"`)])).toBe(asExpression);
  });

  it.each([
    ['Concept', 'd99a604c79ce3c2e76a2f43488d5d4c3'],
    ['Similarity', 'a9dea78180588431ec64d6bc4872fdbc'],
    ['Inheritance', 'e40489cd1e7102e35469c937e05c8bba'],
    ['Symbol', '02c86eb2792f3262c21d030a87e19793'],
    ['Expression', 'a1a6657be79cc0fc1e9b23b9e108f043'],
  ])('type %s', (type, hash) => {
    expect(typeHash(type)).toBe(hash);
  });

  it('hashes the types of a link together', () => {
    const two = [typeHash('Concept'), typeHash('Concept')];
    expect(compositeHash(typeHash('Similarity'), two)).toBe('ed73ea081d170e1d89fc950820ce1cee');
    expect(compositeHash(typeHash('Inheritance'), two)).toBe('41c082428b28d7e9ea96160f7fd614ad');
  });

  it('finds all of them in the shipped file, and nothing else', () => {
    const table = animals();
    const handles = [...rows(nodes).map((row) => row[1] ?? ''), ...rows(links).map((row) => row[3] ?? '')];
    expect(handles.filter((handle) => table.find(handle) === undefined)).toEqual([]);
    expect([table.nodeCount, table.linkCount]).toEqual([14, 26]);
  });
});
