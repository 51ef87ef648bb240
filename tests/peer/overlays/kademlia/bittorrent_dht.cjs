// Nodes of the npm package bittorrent-dht: node bittorrent_dht.cjs PACKAGE BOOTSTRAP WANTED WITH_PORT WITHOUT_PORT HOST...
//
// PACKAGE is the package's folder, BOOTSTRAP the address of a node to join by, and the three words between are
// info-hashes: the last node looks for the first of them; the first node announces the other two, one with the port
// 6002 and one with the port that it sends from. Lines of JSON tell what happens; it ends when its input is closed.
'use strict'

const [packageFolder, bootstrap, wanted, withPort, withoutPort, ...hosts] = process.argv.slice(2)
const DHT = require(packageFolder)

const PORT = 6002
const ASK_AGAIN_MS = 500

function say (line) {
  process.stdout.write(JSON.stringify(line) + '\n')
}

function join (host) {
  const node = new DHT({ bootstrap: [bootstrap] })
  node.on('warning', error => say({ kind: 'warning', text: error.message }))
  node.on('error', error => say({ kind: 'warning', text: error.message }))
  node.listen(0, host)
  return new Promise(resolve => node.once('ready', () => resolve(node)))
}

function announce (node, infoHash, port) {
  return new Promise(resolve => node.announce(infoHash, port, error => {
    if (error) say({ kind: 'warning', text: error.message })
    resolve()
  }))
}

function find (node) {
  node.on('peer', (peer, infoHash) => {
    if (infoHash.toString('hex') === wanted) say({ kind: 'found', peer: `${peer.host}:${peer.port}` })
  })
  node.lookup(wanted)
  setInterval(() => node.lookup(wanted), ASK_AGAIN_MS)
}

async function main () {
  const nodes = []
  for (const host of hosts) nodes.push(await join(host))
  await announce(nodes[0], withPort, PORT)
  await announce(nodes[0], withoutPort)
  say({ kind: 'announced', port: nodes[0].address().port })
  say({ kind: 'known', counts: nodes.map(node => node.nodes.count()) })
  find(nodes[nodes.length - 1])
}

process.stdin.on('end', () => process.exit(0)).resume()
main()
