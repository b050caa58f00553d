import type { ReactNode } from "react";

/** The frame of everything that is shown for a tool. */
export function Card({ title, status, children }: { title: string; status: string; children?: ReactNode }) {
  return (
    <section className="card" aria-label={title} data-status={status}>
      <header>
        <strong>{title}</strong>
        <span>{status}</span>
      </header>
      {children}
    </section>
  );
}
