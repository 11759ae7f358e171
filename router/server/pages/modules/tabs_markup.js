// GraphiQL's tabs hold buttons, which nothing with the role of a tab may: screen readers never reach what is in one. They
// become a list of buttons, of which one is the current.

export function mendTabs(root) {
  const mend = () => {
    for (const list of root.querySelectorAll('.graphiql-tabs[role="tablist"]')) list.setAttribute("role", "list");
    for (const tab of root.querySelectorAll(".graphiql-tab[aria-selected]")) {
      const isCurrent = tab.getAttribute("aria-selected") === "true";
      tab.setAttribute("role", "listitem");
      tab.removeAttribute("aria-selected");
      tab.querySelector(".graphiql-tab-button")?.setAttribute("aria-current", String(isCurrent));
    }
  };
  mend();
  const observer = new MutationObserver(mend);
  observer.observe(root, { subtree: true, childList: true, attributeFilter: ["aria-selected"] });
  return () => observer.disconnect();
}
