type Props = { url: string; mediaType: string; name?: string };

/** A file in a message: a picture is shown, anything else is a link. */
export function Attachment({ url, mediaType, name = "file" }: Props) {
  return mediaType.startsWith("image/") ? (
    <img className="attachment" src={url} alt={name} />
  ) : (
    <a href={url} download={name}>
      {name}
    </a>
  );
}
