/** What a page tells its service worker. Types only: the service worker is one file, and shares no code with the page. */

/** This page is of the version whose main script is `script`: no other version is kept for it. */
export interface OtherVersionsMayGo {
  type: 'other-versions-may-go';
  script: string;
}
