async function arrive() {
  read();
  if (state.at) await fetchRow(state.at);
  show();
  if (details(state.at)) reveal(state.at);
}
addEventListener("hashchange", arrive);
addEventListener("popstate", arrive);
read();
show();
if (state.at) arrive();
