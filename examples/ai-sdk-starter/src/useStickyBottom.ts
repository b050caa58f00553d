import { useEffect, useRef } from "react";

const NEAR = 80;

/** Follows a page that grows: a reader at its bottom stays there, one who scrolled up is left alone. */
export function useStickyBottom(grows: unknown): void {
  const following = useRef(true);

  useEffect(() => {
    const look = () => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
      following.current = scrollHeight - scrollTop - clientHeight < NEAR;
    };
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);

  useEffect(() => {
    if (following.current) scrollTo({ top: document.documentElement.scrollHeight });
  }, [grows]);
}
