type Props = { title: string; url?: string };

/** What the answer relies on: a page is a link, a document a name. */
export function Source({ title, url }: Props) {
  return (
    <p className="source">
      Source:{" "}
      {url ? (
        <a href={url} target="_blank" rel="noreferrer">
          {title}
        </a>
      ) : (
        title
      )}
    </p>
  );
}
