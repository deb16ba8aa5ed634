// Tells when a list has grown since the page was made: asks the address in `data-watch` for its `total`, and offers to reload.
// The page is whole without it.
(() => {
  "use strict";
  const POLL_MILLISECONDS = 30_000;
  const news = document.querySelector("[data-watch]");
  if (!news) return;
  const seen = Number(news.dataset.total);
  const title = document.title;

  const show = (count) => {
    const words = count === 1 ? news.dataset.one : news.dataset.many.replace("{count}", String(count));
    if (news.textContent === words) return;
    const link = document.createElement("a");
    link.href = location.pathname + location.search;
    link.textContent = words;
    news.replaceChildren(link);
    document.title = `(${count}) ${title}`;
  };

  const ask = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(news.dataset.watch, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { total } = await answer.json();
      if (total > seen) show(total - seen);
    } catch {
      // Away or restarting: the next round asks again.
    }
  };

  setInterval(ask, POLL_MILLISECONDS);
  document.addEventListener("visibilitychange", ask);
})();
