// The main path in Firefox.
import { firefox } from './support/engines/firefox.mjs';
import { mainPath } from './support/main-path.mjs';

mainPath(firefox);
