// The main path in WebKit, which is Safari's engine.
import { webkit } from './support/engines/webkit.mjs';
import { mainPath } from './support/main-path.mjs';

mainPath(webkit);
